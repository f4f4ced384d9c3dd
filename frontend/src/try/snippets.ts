/** The lines that ask the studio the same from a program. The token is a name in them, never a real one. */
export interface Call {
  origin: string;
  model: string;
  filename: string;
  /** Null: that of the model. */
  threshold: number | null;
}

const addressOf = ({ origin, model, threshold }: Call) =>
  `${origin}/api/v1/models/${model}/predict/${threshold === null ? "" : `?threshold=${threshold}`}`;

/** A word of a shell, whatever is in it. */
const quoted = (text: string) => (/^[\w.\-/]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

export function curlOf(call: Call): string {
  return [
    "curl -s \\",
    '  -H "Authorization: Token $STUDIO_TOKEN" \\',
    `  -F ${quoted(`files=@${call.filename}`)} \\`,
    `  ${quoted(addressOf(call))}`,
  ].join("\n");
}

export function pythonOf(call: Call): string {
  return [
    "# pip install requests",
    "import os",
    "import requests",
    "",
    `with open(${JSON.stringify(call.filename)}, "rb") as image:`,
    "    answer = requests.post(",
    `        ${JSON.stringify(addressOf(call))},`,
    '        headers={"Authorization": f"Token {os.environ[\'STUDIO_TOKEN\']}"},',
    '        files={"files": image},',
    "    )",
    "answer.raise_for_status()",
    'print(answer.json()["predictions"])',
  ].join("\n");
}
