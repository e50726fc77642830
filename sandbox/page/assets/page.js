// Keeps the page as it is on the server: replaces the parts that changed, and leaves everything else alone.

/** What somebody opened or closed by hand, by region and key; it outlives the replacement of its region. */
const choices = new Map()

/** The markup that each region was last given. */
const shown = new Map()

const connection = document.getElementById('connection')
let updates

// A browser opens only a few connections to one server: a page that nobody sees gives its own back.
function follow() {
  updates?.close()
  say('waiting', '')
  if (document.hidden) return
  updates = new EventSource(`/-/updates?path=${encodeURIComponent(document.body.dataset.path)}`)
  updates.addEventListener('open', () => say('live', 'on'))
  updates.addEventListener('error', () => say('not connected', 'off'))
  updates.addEventListener('problem', (event) => say(JSON.parse(event.data), 'off'))
  updates.addEventListener('region', (event) => update(JSON.parse(event.data)))
}

function say(words, state) {
  connection.textContent = words
  connection.className = `bar-state ${state}`
}

function update({ id, markup }) {
  const region = document.getElementById(id)
  if (region === null || shown.get(id) === markup) return
  // The stream begins with every part; what came with the page need not be built again, frames least of all.
  if (shown.has(id) || !sameMarkup(region, markup)) replace(region, markup)
  shown.set(id, markup)
}

/** Compared as the browser writes it; relative times have been put into the page since. */
function sameMarkup(region, markup) {
  const fresh = document.createElement('template')
  fresh.innerHTML = markup
  const present = region.cloneNode(true)
  for (const time of [...present.querySelectorAll('time'), ...fresh.content.querySelectorAll('time')]) {
    time.textContent = ''
    time.removeAttribute('title')
  }
  for (const frame of present.querySelectorAll('iframe.diagram')) frame.removeAttribute('height')
  const wanted = document.createElement('div')
  wanted.append(fresh.content)
  return present.innerHTML === wanted.innerHTML
}

function replace(region, markup) {
  const log = region.querySelector('.log')
  const atEnd = log !== null && log.scrollTop + log.clientHeight >= log.scrollHeight - 40
  const scrolled = log?.scrollTop ?? 0
  region.innerHTML = markup
  for (const details of region.querySelectorAll('details')) {
    const choice = choices.get(keyOf(details))
    if (choice !== undefined) details.open = choice
  }
  const newLog = region.querySelector('.log')
  if (newLog !== null) newLog.scrollTop = atEnd ? newLog.scrollHeight : scrolled
  tellTimes()
}

function keyOf(details) {
  const region = details.closest('.region')
  const key = details.dataset.key ?? [...region.querySelectorAll('details')].indexOf(details)
  return `${region.id} ${key}`
}

document.addEventListener('click', (event) => {
  const details = event.target instanceof Element ? event.target.closest('summary')?.parentElement : undefined
  if (details instanceof HTMLDetailsElement && details.closest('.region')) choices.set(keyOf(details), !details.open)
})

addEventListener('message', (event) => {
  const height = Number(event.data?.diagramHeight)
  if (!(height > 0)) return
  for (const frame of document.querySelectorAll('iframe.diagram')) {
    if (frame.contentWindow === event.source) frame.height = String(Math.min(height, 1200))
  }
})

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

function tellTimes() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    const at = new Date(time.dateTime)
    const seconds = (at.getTime() - Date.now()) / 1000
    if (time.title === '') time.title = at.toISOString()
    if (Math.abs(seconds) > 86_400) continue
    time.textContent = relative(seconds)
  }
}

function relative(seconds) {
  if (Math.abs(seconds) < 45) return 'now'
  if (Math.abs(seconds) < 3600) return RELATIVE.format(Math.round(seconds / 60), 'minute')
  return RELATIVE.format(Math.round(seconds / 3600), 'hour')
}

follow()
document.addEventListener('visibilitychange', follow)
tellTimes()
setInterval(tellTimes, 15_000)
