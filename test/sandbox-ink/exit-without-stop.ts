import { nodeApp, startInk, untilSaid } from './harness.ts'

/** Run as a program of its own: deploys an app, tells where everything is, and exits without stopping the platform. */
const ink = await startInk()
await ink.push('app', nodeApp("console.log('pid', process.pid)"))
await ink.call('create_service', { repo: 'app', name: 'app' })
const log = await untilSaid(ink, 'app', 'pid ')
console.log(JSON.stringify({ root: ink.platform.root, pid: Number(log.join('\n').match(/pid (\d+)/)?.[1]) }))
process.exit(3)
