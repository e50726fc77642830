import { z } from 'zod'
import type { Caller } from './call.ts'
import { dnsRecordSchema, dnsRecordsSchema } from './results.ts'

/** One DNS record to be made; `name` is relative to the zone. */
export interface NewRecord {
  readonly zone: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly ttl: number
}

/** Records of the zones that are delegated to the platform. */
export function dnsCalls(call: Caller) {
  return {
    dnsRecords: (zone: string, signal: AbortSignal) =>
      call({ purpose: 'listDnsRecords', wanted: { zone }, repeatable: true }, dnsRecordsSchema, signal),
    addDnsRecord: ({ zone, name, type, content, ttl }: NewRecord, signal: AbortSignal) =>
      call(
        { purpose: 'addDnsRecord', wanted: { zone, name, type, content, ttl }, repeatable: false },
        dnsRecordSchema,
        signal,
      ),
    deleteDnsRecord: async (zone: string, recordId: string, signal: AbortSignal) => {
      await call(
        { purpose: 'deleteDnsRecord', wanted: { zone, recordId }, repeatable: false },
        z.looseObject({}),
        signal,
      )
    },
  }
}
