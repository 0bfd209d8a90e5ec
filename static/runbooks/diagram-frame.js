// Runs inside the sandboxed frame: draws Mermaid source into SVG text and hands it back. It can reach nothing else.
(() => {
  const { mermaid } = globalThis;

  function prepare(dark) {
    mermaid.initialize({
      startOnLoad: false,
      securityLevel: "strict",
      theme: dark ? "dark" : "neutral",
      htmlLabels: false,
      flowchart: { htmlLabels: false, useMaxWidth: false },
      fontFamily: "system-ui, sans-serif",
      maxTextSize: 20_000,
      maxEdges: 300,
    });
  }

  async function draw(id, source) {
    try {
      const { svg } = await mermaid.render(`diagram-${id}`, source);
      return { id, svg };
    } catch (error) {
      return { id, error: String(error?.message ?? error).split("\n")[0] };
    }
  }

  // one after the other: Mermaid measures in the document
  let queue = Promise.resolve();
  addEventListener("message", (event) => {
    if (event.source !== parent) return;
    const { id, source, dark } = event.data ?? {};
    queue = queue.then(async () => {
      prepare(Boolean(dark));
      parent.postMessage(await draw(Number(id), String(source)), "*");
    });
  });
  parent.postMessage({ ready: true }, "*");
})();
