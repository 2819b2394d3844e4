// Entry: runs every check and answers 1 when one failed.

import { launch } from "./browser.mjs";
import { consent } from "./consent.mjs";
import { visitAll } from "./crawl.mjs";
import { mainFlow, withoutScript } from "./keyboard.mjs";
import { editing } from "./proxies.mjs";
import { shape } from "./shape.mjs";
import { trace } from "./trace.mjs";

class Report {
  passed = 0;
  failed = [];

  check(name, problems) {
    if (problems.length === 0) {
      this.passed += 1;
      return;
    }
    this.failed.push(name);
    console.log(`FAILED ${name}\n    ${problems.join("\n    ")}`);
  }

  note(text) {
    console.log(text);
  }
}

const report = new Report();
const browser = await launch();
try {
  const wanted = process.argv.slice(2);
  const parts = [mainFlow, consent, editing, shape, withoutScript, trace, visitAll];
  for (const part of parts.filter((one) => wanted.length === 0 || wanted.includes(one.name))) {
    try {
      await part(browser, report);
    } catch (why) {
      report.check(part.name, [String(why.stack ?? why)]);
    }
  }
} finally {
  await browser.close();
}
console.log(`${report.passed} checks passed, ${report.failed.length} failed`);
process.exit(report.failed.length === 0 ? 0 : 1);
