/** Text that is compared and sorted byte by byte, as SQLite does, whatever the database's own collation is. */
export const text = 'TEXT COLLATE "C"';
