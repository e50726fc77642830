import { type Clock, withinTime } from '../core/async.ts'
import { errorMessage } from '../core/errors.ts'
import { sanitize as sanitizeLine } from '../core/sanitize.ts'
import type { ProbeResult } from './probe.ts'
import {
  isOurs,
  jittered,
  meaningOf,
  type OurMarks,
  type ReadService,
  type ServiceReading,
  WINDOW_LINES,
} from './readings.ts'

/** How a deployment that was live was lost while its URL was still being asked. */
type LostDeployment =
  | { readonly kind: 'superseded'; readonly branch: string | undefined }
  | { readonly kind: 'gone' }
  | { readonly kind: 'crashed'; readonly status: string; readonly errorMessage: string | undefined }
  /** The URL answers, but the platform did not say any more whose answers these are. */
  | { readonly kind: 'unconfirmed'; readonly why: string }

/** What came of confirming; with the service's newest runtime lines, sanitized, unless it answers as asked or is not ours any more. */
export type Confirmation =
  | { readonly kind: 'probed'; readonly probe: ProbeResult; readonly runtimeLog: readonly string[] }
  | { readonly kind: 'lost'; readonly loss: LostDeployment; readonly runtimeLog: readonly string[] }

interface ConfirmOptions extends OurMarks {
  readonly probe: (signal: AbortSignal) => Promise<ProbeResult>
  /** Repeats a reading that fails by itself. */
  readonly read: ReadService
  readonly clock: Clock
  /** Yields [0, 1). */
  readonly random: () => number
  readonly signal: AbortSignal
  /** Milliseconds that the reading after a healthy probe may take, all its repetitions included. */
  readonly patienceMs?: number
  readonly warning: (text: string) => void
  readonly sanitize?: (line: string) => string
}

const BETWEEN_READINGS_MS = 3_000
const READING_LIMIT_MS = 20_000
const PATIENCE_MS = 60_000
/** After a healthy probe the status decides between green and red, so one that is not understood is asked for again. */
const TRIES = 8

/**
 * Probes a deployment that the watch saw live, and keeps an eye on its status meanwhile: what crashes, is replaced or
 * deleted while it is being probed was not deployed. After a healthy probe the status is read once more, since the
 * answers may have come from whoever took over.
 * @throws the signal's reason on abort
 */
export async function confirmLive(options: ConfirmOptions): Promise<Confirmation> {
  const probing = new AbortController()
  const watching = new AbortController()
  const loss = watchForLoss(options, AbortSignal.any([options.signal, watching.signal])).then((seen) => {
    probing.abort(new Error('the deployment was lost'))
    return { loss: seen }
  })
  const probed = options.probe(AbortSignal.any([options.signal, probing.signal])).then((probe) => ({ probe }))
  loss.catch(() => undefined)
  probed.catch(() => undefined)
  const first = await Promise.race([loss, probed]).finally(() => watching.abort(new Error('the probe is done')))
  if ('loss' in first) return lost(options, first.loss)
  const { probe } = first
  if (probe.outcome === 'skipped' || probe.outcome === 'no-url') return { kind: 'probed', probe, runtimeLog: [] }
  return probe.outcome === 'healthy' ? confirmHealthy(options, probe) : explainUnhealthy(options, probe)
}

/** Answers alone prove nothing: they count once a status that is understood was read after them. */
async function confirmHealthy(options: ConfirmOptions, probe: ProbeResult): Promise<Confirmation> {
  let why = ''
  for (let tries = 1; tries <= TRIES; tries += 1) {
    if (tries > 1) await options.clock.sleep(jittered(1_000 * tries, options.random), options.signal)
    const reading = await readOnce(options, probe.tolerated ? WINDOW_LINES : 0, options.patienceMs ?? PATIENCE_MS)
    if (reading instanceof Error) {
      why = `its status could not be read: ${reading.message}`
      break
    }
    const loss = lossIn(reading, options)
    if (loss !== undefined) return lost(options, loss)
    if (reading === undefined || !isOurs(reading, options)) {
      why = 'ml.ink does not tell which branch it deployed'
    } else if (meaningOf(reading.status) === undefined) {
      why = `ml.ink reports a status unknown to this version: “${cleaned(options, reading.status)}”`
    } else {
      return { kind: 'probed', probe, runtimeLog: probe.tolerated ? runtimeLines(options, reading) : [] }
    }
  }
  return lost(options, { kind: 'unconfirmed', why })
}

async function explainUnhealthy(options: ConfirmOptions, probe: ProbeResult): Promise<Confirmation> {
  const reading = await readOrWarn(options, WINDOW_LINES)
  const loss = lossIn(reading, options)
  if (loss !== undefined) return lost(options, loss)
  return { kind: 'probed', probe, runtimeLog: runtimeLines(options, reading) }
}

async function lost(options: ConfirmOptions, loss: LostDeployment): Promise<Confirmation> {
  const crashed = loss.kind === 'crashed'
  const runtimeLog = crashed ? runtimeLines(options, await readOrWarn(options, WINDOW_LINES)) : []
  return { kind: 'lost', loss, runtimeLog }
}

async function watchForLoss(options: ConfirmOptions, signal: AbortSignal): Promise<LostDeployment> {
  for (let readable = true; ; ) {
    await options.clock.sleep(jittered(BETWEEN_READINGS_MS, options.random), signal)
    const reading: Read = await (readable ? readOrWarn : readOnce)({ ...options, signal }, 0)
    readable = !(reading instanceof Error)
    const loss = lossIn(reading, options)
    if (loss !== undefined) return loss
  }
}

/** Another deployment of the same branch, under way or failed, is no loss: the version before it, ours, still answers. */
function lossIn(reading: Read, options: ConfirmOptions): LostDeployment | undefined {
  if (reading instanceof Error) return undefined
  if (reading === undefined) return { kind: 'gone' }
  const { branch, errorMessage: said } = reading
  if (branch !== undefined && branch !== options.branch) return { kind: 'superseded', branch }
  switch (meaningOf(reading.status)?.verdict) {
    case 'crashed':
    case 'completed':
    case 'stopped':
    case 'suspended': {
      const errorMessage = said === undefined ? undefined : cleaned(options, said)
      return { kind: 'crashed', status: cleaned(options, reading.status), errorMessage }
    }
    case 'removed':
      return { kind: 'gone' }
    default:
      return undefined
  }
}

function runtimeLines(options: ConfirmOptions, reading: Read): readonly string[] {
  const lines = reading instanceof Error ? [] : (reading?.runtimeLogs ?? [])
  return lines.map((line) => cleaned(options, line))
}

function cleaned({ sanitize = sanitizeLine }: ConfirmOptions, text: string): string {
  return sanitize(text)
}

/** What was read, or why it could not be. */
type Read = ServiceReading | undefined | Error

/** While the URL is being asked, a status that cannot be read is no more than a warning. */
async function readOrWarn(options: ConfirmOptions, runtimeLogLines: number): Promise<Read> {
  const reading = await readOnce(options, runtimeLogLines)
  if (reading instanceof Error)
    options.warning(`The status of the service could not be read while its URL was being asked (${reading.message}).`)
  return reading
}

async function readOnce(options: ConfirmOptions, runtimeLogLines: number, limitMs = READING_LIMIT_MS): Promise<Read> {
  const { clock, signal, read } = options
  try {
    return await withinTime(clock, limitMs, signal, (limited) => read({ deployLogLines: 0, runtimeLogLines }, limited))
  } catch (error) {
    signal.throwIfAborted()
    return new Error(cleaned(options, errorMessage(error)))
  }
}
