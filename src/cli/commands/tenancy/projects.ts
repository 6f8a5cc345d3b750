import {
  createProject,
  listProjects,
  type Project,
  renameProject,
  setProjectDisabled,
} from "../../../tenancy/projects.ts";
import type { Invocation } from "../../command.ts";
import { type ExitCode, exitCodes } from "../../exit-codes.ts";
import { renderTable } from "../../table.ts";
import { formatMinute, isoTime } from "../../values/time-text.ts";
import { openExistingRecords, openRecords, type Records } from "../../workspace.ts";
import { chooseTenant } from "./default-scope.ts";
import { type Names, readNames } from "./names.ts";

export interface ProjectScopeOptions {
  readonly tenant: string | null;
}

export interface ProjectNameOptions extends ProjectScopeOptions {
  readonly name: string;
}

export interface ProjectRenameOptions extends ProjectNameOptions {
  readonly project: string;
}

export async function create(invocation: Invocation<ProjectNameOptions>): Promise<ExitCode> {
  await using records = openRecords(invocation);
  const { tenant, name } = invocation.options;
  const project = await createProject(records, await chooseTenant(records.db, tenant), name);
  return await tell(invocation, records, project, `Created project ${project.name} (${project.id}).`);
}

export async function list(invocation: Invocation<ProjectScopeOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const projects = await listProjects(records.db, invocation.options.tenant);
  const names = await readNames(records.db);
  invocation.output.result({ projects: projects.map((project) => describe(project, names)) }, () =>
    renderTable(projects, [
      { title: "tenant", cell: ({ tenantId }) => names.tenant(tenantId) },
      { title: "name", cell: ({ name }) => name },
      { title: "state", cell: stateOf },
      { title: "created (UTC)", cell: ({ createdAtMs }) => formatMinute(createdAtMs) },
      { title: "id", cell: ({ id }) => id },
    ]),
  );
  return exitCodes.ok;
}

export async function rename(invocation: Invocation<ProjectRenameOptions>): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const { options } = invocation;
  const tenant = await chooseTenant(records.db, options.tenant);
  const project = await renameProject(records, { tenant, project: options.project }, options.name);
  return await tell(invocation, records, project, `Project ${project.id} is now called ${project.name}.`);
}

export function disable(invocation: Invocation<ProjectNameOptions>): Promise<ExitCode> {
  return setDisabled(invocation, true, "Disabled project NAME: its keys are refused from the next request on.");
}

export function enable(invocation: Invocation<ProjectNameOptions>): Promise<ExitCode> {
  return setDisabled(invocation, false, "Enabled project NAME.");
}

async function setDisabled(
  invocation: Invocation<ProjectNameOptions>,
  disabled: boolean,
  sentence: string,
): Promise<ExitCode> {
  await using records = openExistingRecords(invocation);
  const tenant = await chooseTenant(records.db, invocation.options.tenant);
  const project = await setProjectDisabled(records, { tenant, project: invocation.options.name }, disabled);
  return await tell(invocation, records, project, sentence.replace("NAME", project.name));
}

async function tell(
  { output }: Invocation<unknown>,
  { db }: Records,
  project: Project,
  sentence: string,
): Promise<ExitCode> {
  const document = describe(project, await readNames(db));
  output.result(document, () => `${sentence}\n`);
  return exitCodes.ok;
}

function describe(project: Project, names: Names): Readonly<Record<string, unknown>> {
  return {
    id: project.id,
    name: project.name,
    state: stateOf(project),
    tenant: { id: project.tenantId, name: names.tenant(project.tenantId) },
    createdAt: isoTime(project.createdAtMs),
    disabledAt: isoTime(project.disabledAtMs),
  };
}

function stateOf({ disabledAtMs }: Project): string {
  return disabledAtMs === null ? "enabled" : "disabled";
}
