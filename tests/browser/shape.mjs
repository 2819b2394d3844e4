// The shape of a proxy, by keyboard: endpoints, routes, properties, rules; then a shared flow, masks and all traces.

import { CONSOLE, context, shoot, signIn, tooWide, violations } from "./browser.mjs";
import { zip } from "./zip.mjs";

const bundle = (name, steps) => zip({
  [`apiproxy/${name}.xml`]: `<APIProxy name="${name}" revision="1"/>`,
  "apiproxy/proxies/default.xml": `<ProxyEndpoint name="default"><PreFlow name="PreFlow"><Request>${steps}</Request></PreFlow>
<HTTPProxyConnection><BasePath>/${name}</BasePath></HTTPProxyConnection><RouteRule name="usual"><TargetEndpoint>default</TargetEndpoint></RouteRule></ProxyEndpoint>`,
  "apiproxy/targets/default.xml": `<TargetEndpoint name="default"><HTTPTargetConnection><URL>http://127.0.0.1:9</URL></HTTPTargetConnection></TargetEndpoint>`,
  "apiproxy/policies/Stop.xml": `<RaiseFault name="Stop"/>`,
});
const sharedFlow = (name) => zip({
  [`sharedflowbundle/${name}.xml`]: `<SharedFlowBundle name="${name}" revision="1"/>`,
  "sharedflowbundle/sharedflows/default.xml": `<SharedFlow name="default"><Step><Name>Stop</Name></Step></SharedFlow>`,
  "sharedflowbundle/policies/Stop.xml": `<RaiseFault name="Stop"/>`,
});

async function send(page, name, bytes) {
  await page.goto(`${CONSOLE}/proxies/import`);
  await page.locator("input[type=file]").setInputFiles({ name: `${name}.zip`, mimeType: "application/zip", buffer: bytes });
  await page.locator("main form button").first().click();
  await page.waitForURL(/\/import\/[0-9a-f]+/);
  const deploy = page.locator("#f-deploy");
  if (await deploy.count()) await deploy.uncheck();
  await page.getByRole("button", { name: /^Import/ }).click();
  await page.waitForURL((url) => !url.pathname.includes("/import"));
}

/** Presses Enter and waits for the page that comes: the address may stay the same. */
const enter = (page, at) => Promise.all([page.waitForEvent("load"), at.press("Enter")]);

/** Each page at both widths and in both themes. */
async function looks(browser, report, pages) {
  for (const width of [1440, 390]) {
    for (const scheme of ["light", "dark"]) {
      const { context: own, complaints } = await context(browser, { width, scheme });
      const page = await own.newPage();
      await signIn(page);
      for (const [kind, address] of Object.entries(pages)) {
        const answer = await page.goto(`${CONSOLE}${address}`);
        const said = `${kind} at ${width} px, ${scheme}`;
        report.check(`${said} answers`, answer.ok() ? [] : [String(answer.status())]);
        await page.$$eval("main details", (all) => all.forEach((one) => { one.open = !one.closest(".wire-fold"); }));
        report.check(`axe: ${said}`, await violations(page));
        report.check(`no sideways scrolling: ${said}`, (await tooWide(page)) ? ["the page is wider than the window"] : []);
        await shoot(page, `shape-${kind}-${width}-${scheme}`);
      }
      report.check(`no complaint: shape at ${width} px, ${scheme}`, complaints);
      await own.close();
    }
  }
}

export async function shape(browser, report) {
  const { context: at, complaints } = await context(browser);
  const page = await at.newPage();
  const name = `sh-${Date.now().toString(36)}`;
  const long = `${name}-${"a-rather-long-name-that-somebody-chose".repeat(2)}`;
  const base = `/proxies/${name}/revisions/1`;
  await signIn(page);
  await send(page, name, bundle(name, `<Step><Name>Stop</Name><Condition>request.verb = "GET"</Condition></Step>`.repeat(40)));

  // A target endpoint, then a route to it, by keyboard.
  await page.goto(`${CONSOLE}${base}`);
  await enter(page, page.getByRole("link", { name: "Add a target endpoint" }));
  await page.locator("#f-name").fill("other");
  await page.getByLabel("Address").fill("https://other.example/v1");
  await enter(page, page.getByRole("button", { name: "Add the endpoint" }));
  report.check("a target endpoint is added", []);

  await page.goto(`${CONSOLE}${base}/endpoints/proxy/default`);
  await page.locator("[name=route_name]").last().fill("to other");
  await page.locator("[name=route_condition]").last().fill('request.verb = "POST"');
  await page.locator("[name=route_to]").last().selectOption("target:other");
  await enter(page, page.getByRole("button", { name: "Add the route rule" }));
  await enter(page, page.getByRole("button", { name: "Move to other up" }));
  await page.locator("[name=property_name]").last().fill("api.timeout");
  await page.locator("[name=property_value]").last().fill("soon");
  await enter(page, page.getByRole("button", { name: "Save", exact: true }).last());
  const mistake = page.getByRole("list", { name: "Mistakes" });
  await mistake.waitFor();
  report.check("a wrong property is refused with its file", /InvalidProperty/.test(await mistake.innerText()) ? [] : [await mistake.innerText()]);
  report.check("axe: a refused endpoint", await violations(page));
  await page.locator("[name=property_value]").first().fill("1500");
  await enter(page, page.getByRole("button", { name: "Save", exact: true }).last());
  const first = await page.locator("[name=route_name]").first().inputValue();
  report.check("route rules keep their order", first === "to other" ? [] : [first]);

  // In use: it stays, and says by whom.
  await page.goto(`${CONSOLE}${base}/endpoints/target/other/delete`);
  const said = await page.locator("main").innerText();
  report.check("what is in use says by whom", /Route rule to other/.test(said) ? [] : [said]);

  await page.goto(`${CONSOLE}${base}/steps?kind=proxy&endpoint=default&flow=fault-new&way=fault`);
  await page.locator("#f-flow_name").fill("Any");
  await page.getByLabel("Attach a policy").selectOption("Stop");
  await enter(page, page.getByRole("button", { name: "Save", exact: true }).last());

  // A shared flow, edited in place.
  await send(page, long, sharedFlow(long));
  const flow = `/shared-flows/${long}/revisions/1`;
  await page.goto(`${CONSOLE}${flow}`);
  await enter(page, page.getByRole("link", { name: "Edit the steps" }));
  await page.getByLabel("Condition of Stop").fill('request.verb = "DELETE"');
  await enter(page, page.getByRole("button", { name: "Save", exact: true }).last());
  report.check("the steps of a shared flow are edited", /DELETE/.test(await page.locator("main").innerText()) ? [] : ["no condition"]);

  await page.goto(`${CONSOLE}/proxies/${name}/trace/masks/new`);
  await page.locator("#f-name").fill("cards");
  await page.getByLabel("JSON paths in requests").fill("$.card.number");
  await enter(page, page.getByRole("button", { name: "Save" }));
  report.check("no complaint while the shape is edited", complaints);

  await looks(browser, report, {
    develop: base,
    "proxy-endpoint": `${base}/endpoints/proxy/default`,
    "target-endpoint": `${base}/endpoints/target/default`,
    "new-target": `${base}/new-endpoint/target`,
    "in-use": `${base}/endpoints/target/other/delete`,
    "forty-steps": `${base}/steps?kind=proxy&endpoint=default&flow=pre&way=request`,
    "no-steps": `${base}/steps?kind=target&endpoint=default&flow=pre&way=request`,
    "new-fault": `${base}/steps?kind=proxy&endpoint=default&flow=fault-new&way=fault`,
    "default-fault": `${base}/steps?kind=proxy&endpoint=default&flow=fault-default&way=fault`,
    "shared-flow": flow,
    "shared-flow-steps": `${flow}/steps`,
    "shared-flow-policy": `${flow}/policies/Stop`,
    masks: `/proxies/${name}/trace/masks`,
    mask: `/proxies/${name}/trace/masks/config/cards`,
    "all-masks": "/traces/masks",
    traces: "/traces",
  });
  for (const [address, typed] of [[`/proxies/${name}/delete`, name], [`/shared-flows/${long}/delete`, long]]) {
    await page.goto(`${CONSOLE}${address}`);
    await page.getByLabel("Type the name").fill(typed);
    await enter(page, page.getByRole("button", { name: "Delete" }));
  }
  await at.close();
}
