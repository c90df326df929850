// Writes what the public JavaScript SDK makes of one event: the requests as JSON.
// npm install cloudevents && node send.mjs > javascript.json
import { readFileSync } from "node:fs";
import { CloudEvent, HTTP } from "cloudevents";

const given = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const event = new CloudEvent({ ...given, datacontenttype: "application/json" });
const said = (mode, message) => ({
  mode,
  headers: Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)])),
  body: typeof message.body === "string" ? message.body : JSON.stringify(message.body),
});
const second = event.cloneWith({ id: `${event.id}-2` });
const { version } = JSON.parse(readFileSync("node_modules/cloudevents/package.json", "utf-8"));
console.log(JSON.stringify({
  sdk: `cloudevents ${version} (npm)`,
  requests: [
    said("structured", HTTP.structured(event)),
    said("binary", HTTP.binary(event)),
    // The SDK writes no batches itself: its users put events into an array.
    said("batch", { headers: { "content-type": "application/cloudevents-batch+json" }, body: JSON.stringify([event, second]) }),
  ],
}, null, 2));
