/**
 * What to tell somebody whose login ended before its key was stored: from the moment that access is allowed there may be
 * a key at ml.ink, and nobody has it.
 */
export const KEY_MAY_REMAIN = 'If access was already allowed, remove the key at ml.ink (account, API keys).'
