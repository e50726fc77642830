import { type Clock, withinTime } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import { sanitize } from '../core/sanitize.ts'
import { isOurs, type OurMarks } from './ours.ts'
import { jittered } from './pace.ts'
import type { ProbeResult } from './probe.ts'
import { meaningOf } from './status.ts'
import type { DeploymentReader, ServiceReading } from './verdict.ts'

/** How a deployment that was live was lost while its URL was still being asked. */
export type LostDeployment =
  | { readonly kind: 'superseded'; readonly branch: string | undefined }
  | { readonly kind: 'gone' }
  | { readonly kind: 'crashed'; readonly status: string; readonly errorMessage: string | undefined }
  /** The URL answers, but the platform did not say any more whose answers these are. */
  | { readonly kind: 'unconfirmed'; readonly why: string }

/** What came of confirming; with the service's newest runtime lines, sanitized, unless it is healthy or not ours any more. */
export type Confirmation =
  | { readonly kind: 'probed'; readonly probe: ProbeResult; readonly runtimeLog: readonly string[] }
  | { readonly kind: 'lost'; readonly loss: LostDeployment; readonly runtimeLog: readonly string[] }

/** What confirming needs. */
export interface ConfirmOptions extends OurMarks {
  readonly probe: (signal: AbortSignal) => Promise<ProbeResult>
  readonly reader: DeploymentReader
  readonly clock: Clock
  /** Yields [0, 1). */
  readonly random: () => number
  readonly signal: AbortSignal
  readonly warning: (text: string) => void
  readonly sanitize?: (line: string) => string
}

const BETWEEN_READINGS_MS = 3_000
const READING_LIMIT_MS = 20_000
const RUNTIME_LINES = 500
const TRIES = 4
/** After a healthy probe the status decides between green and red, so it is asked for longer. */
const LAST_TRIES = 8

/**
 * Probes a deployment that the watch saw live, and keeps an eye on its status meanwhile: what crashes, is replaced or
 * deleted while it is being probed was not deployed. After a healthy probe the status is read once more, since the
 * answers may have come from whoever took over.
 *
 * @throws the signal's reason on abort
 */
export async function confirmLive(options: ConfirmOptions): Promise<Confirmation> {
  const probing = new AbortController()
  const watching = new AbortController()
  const lost = watchForLoss(options, AbortSignal.any([options.signal, watching.signal])).then((loss) => {
    probing.abort(new Error('the deployment was lost'))
    return { kind: 'lost', loss } as const
  })
  const probed = options
    .probe(AbortSignal.any([options.signal, probing.signal]))
    .then((probe) => ({ kind: 'probed', probe }) as const)
  lost.catch(() => undefined)
  probed.catch(() => undefined)
  const first = await Promise.race([lost, probed]).finally(() => watching.abort(new Error('the probe is done')))
  if (first.kind === 'lost') return { ...first, runtimeLog: await runtimeLogOf(options, first.loss) }
  return await settle(options, first.probe)
}

async function settle(options: ConfirmOptions, probe: ProbeResult): Promise<Confirmation> {
  if (probe.outcome === 'skipped' || probe.outcome === 'no-url') return { kind: 'probed', probe, runtimeLog: [] }
  if (probe.outcome === 'healthy') return await confirmHealthy(options, probe)
  const reading = await readPatiently(options, RUNTIME_LINES)
  if (reading === 'unreadable') return { kind: 'probed', probe, runtimeLog: [] }
  const loss = lossIn(reading, options)
  if (loss !== undefined) return { kind: 'lost', loss, runtimeLog: await runtimeLogOf(options, loss) }
  return { kind: 'probed', probe, runtimeLog: (reading?.runtimeLogs ?? []).map(options.sanitize ?? sanitize) }
}

/** Answers alone prove nothing: they count once a status that is understood was read after them. */
async function confirmHealthy(options: ConfirmOptions, probe: ProbeResult): Promise<Confirmation> {
  const sanitizeText = options.sanitize ?? sanitize
  let why = ''
  for (let tries = 1; tries <= LAST_TRIES; tries += 1) {
    if (tries > 1) await options.clock.sleep(jittered(1_000 * tries, options.random), options.signal)
    const reading = await readOnce(options, 0)
    if (reading instanceof Unreadable) {
      why = `its status could not be read: ${sanitizeText(errorMessage(reading.cause))}`
      continue
    }
    const loss = lossIn(reading, options)
    if (loss !== undefined) return { kind: 'lost', loss, runtimeLog: await runtimeLogOf(options, loss) }
    if (reading === undefined || !isOurs(reading, options)) {
      why = 'ml.ink does not tell which branch it deployed'
    } else if (meaningOf(reading.status) === undefined) {
      why = `ml.ink reports a status unknown to this version: “${sanitizeText(reading.status)}”`
    } else {
      return { kind: 'probed', probe, runtimeLog: [] }
    }
  }
  return { kind: 'lost', loss: { kind: 'unconfirmed', why }, runtimeLog: [] }
}

async function watchForLoss(options: ConfirmOptions, signal: AbortSignal): Promise<LostDeployment> {
  for (;;) {
    await options.clock.sleep(jittered(BETWEEN_READINGS_MS, options.random), signal)
    const reading = await readPatiently({ ...options, signal }, 0)
    const loss = reading === 'unreadable' ? undefined : lossIn(reading, options)
    if (loss !== undefined) return loss
  }
}

/**
 * Another deployment of the same branch, under way or failed, is no loss: the version before it, ours, still answers.
 */
function lossIn(reading: ServiceReading | undefined, options: ConfirmOptions): LostDeployment | undefined {
  if (reading === undefined) return { kind: 'gone' }
  if (reading.branch !== undefined && reading.branch !== options.branch) {
    return { kind: 'superseded', branch: reading.branch }
  }
  switch (meaningOf(reading.status)?.verdict) {
    case 'crashed':
    case 'completed':
    case 'stopped':
    case 'suspended': {
      const sanitizeText = options.sanitize ?? sanitize
      const errorMessage = reading.errorMessage === undefined ? undefined : sanitizeText(reading.errorMessage)
      return { kind: 'crashed', status: sanitizeText(reading.status), errorMessage }
    }
    case 'removed':
      return { kind: 'gone' }
    default:
      return undefined
  }
}

async function runtimeLogOf(options: ConfirmOptions, loss: LostDeployment): Promise<readonly string[]> {
  if (loss.kind !== 'crashed') return []
  const reading = await readPatiently(options, RUNTIME_LINES)
  return reading === 'unreadable' ? [] : (reading?.runtimeLogs ?? []).map(options.sanitize ?? sanitize)
}

/** While the URL is being asked, a status that cannot be read is no more than a warning. */
async function readPatiently(
  options: ConfirmOptions,
  runtimeLogLines: number,
): Promise<ServiceReading | undefined | 'unreadable'> {
  for (let tries = 1; ; tries += 1) {
    const reading = await readOnce(options, runtimeLogLines)
    if (!(reading instanceof Unreadable)) return reading
    if (tries >= TRIES) {
      const reason = (options.sanitize ?? sanitize)(errorMessage(reading.cause))
      options.warning(`The status of the service could not be read while its URL was being asked (${reason}).`)
      return 'unreadable'
    }
    await options.clock.sleep(jittered(1_000 * tries, options.random), options.signal)
  }
}

class Unreadable {
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}

async function readOnce(
  options: ConfirmOptions,
  runtimeLogLines: number,
): Promise<ServiceReading | undefined | Unreadable> {
  try {
    return await withinTime(options.clock, READING_LIMIT_MS, options.signal, (signal) =>
      options.reader.read({ deployLogLines: 0, runtimeLogLines }, signal),
    )
  } catch (error) {
    options.signal.throwIfAborted()
    return new Unreadable(error)
  }
}
