// The gateway's end reaches every call that is under way, through one listener.
import { describe, expect, test } from "bun:test";
import { onStopping } from "../../src/gateway/stopping";

describe("onStopping()", () => {
  test("tells everyone who still listens, once", () => {
    const controller = new AbortController();
    const heard: string[] = [];
    onStopping(controller.signal, () => heard.push("first"));
    const undo = onStopping(controller.signal, () => heard.push("undone"));
    onStopping(controller.signal, () => heard.push("last"));
    undo();
    controller.abort();
    controller.abort();
    expect(heard).toEqual(["first", "last"]);
  });

  test("lets one who hears undo another's listening", () => {
    const controller = new AbortController();
    const heard: string[] = [];
    let undo = (): void => undefined;
    onStopping(controller.signal, () => {
      heard.push("first");
      undo();
    });
    undo = onStopping(controller.signal, () => heard.push("second"));
    controller.abort();
    expect(heard).toEqual(["first"]);
  });

  test("keeps signals apart, and says nothing of one that has aborted already", () => {
    const [ended, other] = [new AbortController(), new AbortController()];
    const heard: string[] = [];
    ended.abort();
    onStopping(ended.signal, () => heard.push("ended"));
    onStopping(other.signal, () => heard.push("other"));
    expect(heard).toEqual([]);
    other.abort();
    expect(heard).toEqual(["other"]);
  });
});
