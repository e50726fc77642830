import { nodeApp, startInk } from './harness.ts'

/** Run as a program of its own: deploys an app, tells where everything is, and exits without stopping the platform. */
const ink = await startInk()
await ink.push('app', nodeApp('console.log(process.pid)'))
await ink.call('create_service', { repo: 'app', name: 'app' })
const { runtimeLog } = await ink.platform.waitForStatus('app', ['active'])
console.log(JSON.stringify({ root: ink.platform.root, pid: Number(runtimeLog[0]) }))
process.exit(3)
