#!/bin/sh
# A stream and an error, with nothing but curl.
#
#   HEADGATE_KEY=hg-... sh examples/curl.sh
set -eu
url=${HEADGATE_URL:-http://127.0.0.1:4000}
model=${HEADGATE_MODEL:-simulator/sim-chat}
: "${HEADGATE_KEY:?Set it to an API key; the first start of the gateway prints one.}"

fail() {
  echo "$1" >&2
  exit 1
}

ask() {
  curl -sSN "$url/v1/chat/completions" \
    -H "authorization: Bearer $HEADGATE_KEY" -H "content-type: application/json" \
    -d "{\"model\": \"$1\", \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}"
}

stream=$(ask "$model")
printf '%s\n\n' "$stream"
case $stream in
  *'"finish_reason":"stop"'*'data: [DONE]') ;;
  *) fail "The stream did not end as a complete one does." ;;
esac

error=$(ask "no-such-model")
printf '%s\n' "$error"
case $error in
  *'"code":"model_not_found"'*) ;;
  *) fail "A model that does not exist was not refused as such." ;;
esac
