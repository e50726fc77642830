// Draws the diagram that the address names, and tells the page around it how tall it is.
const source = decodeURIComponent(location.hash.slice(1))
const dark = matchMedia('(prefers-color-scheme: dark)').matches

async function draw() {
  const { mermaid } = globalThis
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: 'strict',
    theme: dark ? 'dark' : 'default',
    gantt: { useWidth: document.documentElement.clientWidth },
  })
  const { svg } = await mermaid.render('drawing', source)
  const place = document.createElement('div')
  place.className = 'mermaid'
  place.innerHTML = svg
  document.body.replaceChildren(place)
}

function showSource(problem) {
  const text = document.createElement('pre')
  text.textContent = `Unable to render this diagram: ${problem}\n\n${source}`
  document.body.replaceChildren(text)
  document.body.dataset.problem = String(problem)
}

draw()
  .catch(showSource)
  .then(() => parent.postMessage({ diagramHeight: document.documentElement.scrollHeight }, '*'))
