import { safeMessage } from '../core/sanitize.ts'
import { mayHaveHappened } from '../ink/errors.ts'
import type { DnsRecord } from '../ink/results.ts'
import { type DnsDifference, excludeEachOther, findRecord, markOf, recordInWords } from '../plan/dns-difference.ts'
import type { WantedRecord } from '../plan/dns-records.ts'
import type { Run } from './run.ts'

/**
 * Brings one zone in step. Where both can be there at once, what is new is there before what is old goes. A record that
 * fails does not stop the others.
 * @returns what failed, in words
 */
export async function changeZone(run: Run, difference: DnsDifference, service: string): Promise<readonly string[]> {
  const { zone, add, marks } = difference
  const failed: string[] = []
  const attempt = async (record: DnsRecord | WantedRecord, act: () => Promise<void>) => {
    try {
      await act()
    } catch (error) {
      run.signal.throwIfAborted()
      failed.push(`${recordInWords(zone, record)}: ${safeMessage(run, error)}`)
    }
  }
  const waiting = new Set(difference.remove)
  for (const record of add) {
    const replaced = [...waiting].filter((old) => excludeEachOther(old, record))
    for (const old of replaced) waiting.delete(old)
    await attempt(record, () => replace(run, replaced, record, service))
  }
  for (const record of waiting) await attempt(record, () => remove(run, zone, record))
  // Last, and only when all went well, so that what is not removed stays known as ours; the next run finds what is left.
  if (failed.length > 0) return failed
  for (const mark of marks.values()) await attempt(mark, () => run.platform.deleteDnsRecord(zone, mark.id, run.signal))
  return failed
}

/** Removes what excludes a record and makes it. When that fails, the name has what it had before. */
async function replace(run: Run, replaced: readonly DnsRecord[], record: WantedRecord, service: string): Promise<void> {
  try {
    for (const old of replaced) await remove(run, record.zone, old)
    await addMarked(run, record, service)
  } catch (error) {
    if (replaced.length > 0) await putBack(run, replaced, record.zone, service)
    throw error
  }
}

async function remove(run: Run, zone: string, record: DnsRecord): Promise<void> {
  await run.platform.deleteDnsRecord(zone, record.id, run.signal)
  run.log.info(`DNS: removed ${recordInWords(zone, record)}`)
}

/** Makes a record and its mark. One without its mark would stay for ever, so it is taken back when that fails. */
async function addMarked(run: Run, record: WantedRecord, service: string): Promise<void> {
  const { zone } = record
  const id = await makeRecord(run, record)
  try {
    await run.platform.addDnsRecord(markOf(zone, service, id), run.signal)
  } catch (error) {
    await run.platform.deleteDnsRecord(zone, id, mendingSignal(run))
    throw error
  }
  run.log.info(`DNS: added ${recordInWords(zone, record)}`)
}

/** Makes a record and returns its id. Where the answer got lost the record may be there, and is looked for. */
async function makeRecord(run: Run, record: WantedRecord): Promise<string> {
  try {
    const { id } = await run.platform.addDnsRecord(record, run.signal)
    return id
  } catch (error) {
    if (!run.signal.aborted && !mayHaveHappened(error)) throw error
    const listed = await run.platform.dnsRecords(record.zone, mendingSignal(run))
    const made = findRecord(record.zone, listed, record)
    if (!made) throw error
    return made.id
  }
}

/** Makes removed records anew: a name that says nothing is worse than one that says what it said before. */
async function putBack(run: Run, removed: readonly DnsRecord[], zone: string, service: string): Promise<void> {
  const signal = mendingSignal(run)
  for (const record of removed) {
    const words = recordInWords(zone, record)
    try {
      // The removal may be what failed.
      if (findRecord(zone, await run.platform.dnsRecords(zone, signal), record)) continue
      const { name, type, content, ttl = usualTtl } = record
      const { id } = await run.platform.addDnsRecord({ zone, name, type, content, ttl }, signal)
      run.log.info(`DNS: put back ${words}, because its replacement could not be made`)
      await run.platform.addDnsRecord(markOf(zone, service, id), signal)
    } catch (error) {
      run.log.warning(
        `The DNS record ${words} was to be replaced, which failed, and could not be put back with its mark: ${safeMessage(run, error)}. Look whether it is there; if it is, it counts as made by hand.`,
      )
    }
  }
}

const usualTtl = 300

// The runner kills a cancelled run after ten seconds; what is half done is mended before that.
const patienceWhenCancelledMs = 4000
const patienceMs = 30_000

/** For what has to be put right also when the run is being cancelled. */
function mendingSignal({ signal }: Run): AbortSignal {
  return AbortSignal.timeout(signal.aborted ? patienceWhenCancelledMs : patienceMs)
}
