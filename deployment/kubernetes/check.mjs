// Checks manifests against the Kubernetes API (npm's kubernetes-models, generated from its OpenAPI), offline once installed: wrong types and missing fields by its
// schemas; unknown fields, which an API server drops with a warning, by its types: an object literal of TypeScript may have no others.
// Usage: npm ci && node check.mjs [FILE…]. Exit code 1 when an object does not fit, or is of a kind that is not known.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadAll } from "js-yaml";
import ts from "typescript";

// kubernetes-models puts a folder for each group: apps/v1, networking.k8s.io/v1, v1 for the core.
const moduleOf = ({ apiVersion, kind }) => `kubernetes-models/${apiVersion}/${kind}`;
const load = async object => (await import(moduleOf(object)).catch(() => ({})))[object.kind];

function unknownFields(object) {
  const name = fileURLToPath(new URL("manifest.ts", import.meta.url));
  const text = `import type { I${object.kind} } from "${moduleOf(object)}";\nexport const manifest: I${object.kind} = ${JSON.stringify(object, null, 1)};\n`;
  const options = { noEmit: true, strict: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
  const host = ts.createCompilerHost(options), { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (file, ...rest) => file === name ? ts.createSourceFile(file, text, options.target, true) : getSourceFile(file, ...rest);
  host.fileExists = file => file === name || fileExists(file);
  host.readFile = file => file === name ? text : readFile(file);
  return ts.getPreEmitDiagnostics(ts.createProgram([name], options, host)).map(found => ts.flattenDiagnosticMessageText(found.messageText, " "));
}

const files = process.argv.length > 2 ? process.argv.slice(2) : [fileURLToPath(new URL("breakwater.yaml", import.meta.url))];
let wrong = 0, right = 0;
for (const file of files) {
  for (const object of loadAll(readFileSync(file, "utf8")).filter(Boolean)) {
    const name = `${file}: ${object.kind} ${object.metadata?.name}`;
    const Model = await load(object);
    try {
      if (!Model) throw new Error(`no schema for ${object.apiVersion} ${object.kind}`);
      new Model(object).validate();
      const unknown = unknownFields(object);
      if (unknown.length) throw new Error(unknown.join("; "));
      right++;
      console.log(`ok     ${name}`);
    } catch (e) { wrong++; console.log(`WRONG  ${name}: ${e.message}`); }
  }
}
console.log(`${right} objects fit, ${wrong} do not`);
process.exit(wrong || !right ? 1 : 0);
