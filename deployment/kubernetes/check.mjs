// Checks manifests against the schemas of the Kubernetes API (npm's kubernetes-models, generated from its OpenAPI), offline once installed.
// Usage: npm ci && node check.mjs [FILE…]. Exit code 1 when an object does not fit, or is of a kind that is not known.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadAll } from "js-yaml";

// kubernetes-models puts a folder for each group: apps/v1, networking.k8s.io/v1, v1 for the core.
const load = async ({ apiVersion, kind }) => (await import(`kubernetes-models/${apiVersion}/${kind}`).catch(() => ({})))[kind];
const files = process.argv.length > 2 ? process.argv.slice(2) : [fileURLToPath(new URL("breakwater.yaml", import.meta.url))];
let wrong = 0, right = 0;
for (const file of files) {
  for (const object of loadAll(readFileSync(file, "utf8")).filter(Boolean)) {
    const name = `${file}: ${object.kind} ${object.metadata?.name}`;
    const Model = await load(object);
    try {
      if (!Model) throw new Error(`no schema for ${object.apiVersion} ${object.kind}`);
      new Model(object).validate();
      right++;
      console.log(`ok     ${name}`);
    } catch (e) { wrong++; console.log(`WRONG  ${name}: ${e.message}`); }
  }
}
console.log(`${right} objects fit, ${wrong} do not`);
process.exit(wrong || !right ? 1 : 0);
