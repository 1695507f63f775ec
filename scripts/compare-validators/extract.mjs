// fhirpath.js: every search parameter of R4 over a folder of resources, one thread.
//
// node extract.mjs SECONDS R4_CORE_FOLDER FOLDER; the same evaluations as `cargo bench -p socle-fhir --bench fhirpath`.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import fhirpath from "fhirpath";
import model from "fhirpath/fhir-context/r4/index.js";

const [seconds, core, folder] = process.argv.slice(2);
const json = (...path) => JSON.parse(readFileSync(join(...path), "utf8"));

const programs = new Map();
for (const file of readdirSync(core).filter((name) => name.startsWith("SearchParameter-"))) {
  const { expression, base = [] } = json(core, file);
  if (!expression) continue;
  for (const kind of base) {
    if (!programs.has(kind)) programs.set(kind, []);
    programs.get(kind).push(fhirpath.compile(expression, model));
  }
}
const noText = new Set(["Bundle", "Binary", "Parameters"]);
const bases = (kind) => [kind, "Resource", ...(noText.has(kind) ? [] : ["DomainResource"])];
const work = readdirSync(folder).sort().flatMap((file) => {
  const resource = json(folder, file);
  return bases(resource.resourceType).flatMap((kind) => (programs.get(kind) ?? []).map((run) => [run, resource]));
});

let values, failures, spent;
const start = performance.now();
do {
  values = failures = 0;
  const before = process.cpuUsage();
  for (const [run, resource] of work) {
    try {
      values += run(resource).length;
    } catch {
      failures += 1;
    }
  }
  const { user, system } = process.cpuUsage(before);
  spent = (user + system) / 1e6;
} while (performance.now() - start < seconds * 1000);
console.log(`RESULT fhirpath.js ${work.length} ${values} ${failures} ${(work.length / spent).toFixed(0)}`);
