import type { Recogniser } from './recogniser.ts'
import { BUNDLER_RECOGNISERS } from './recognisers/bundlers.ts'
import { COMPILER_RECOGNISERS } from './recognisers/compilers.ts'
import { CRASH_RECOGNISERS } from './recognisers/crashes.ts'
import { ENDING_RECOGNISERS } from './recognisers/endings.ts'
import { ENVIRONMENT_RECOGNISERS } from './recognisers/environment.ts'
import { MODULE_RECOGNISERS } from './recognisers/modules.ts'
import { COMPILED_PACKAGE_RECOGNISERS } from './recognisers/packages-compiled.ts'
import { JAVASCRIPT_PACKAGE_RECOGNISERS } from './recognisers/packages-javascript.ts'
import { PYTHON_PACKAGE_RECOGNISERS } from './recognisers/packages-python.ts'
import { PLATFORM_RECOGNISERS } from './recognisers/platform.ts'
import { PORT_RECOGNISERS } from './recognisers/ports.ts'
import { RESOURCE_RECOGNISERS } from './recognisers/resources.ts'
import { SCRIPT_RECOGNISERS } from './recognisers/scripts.ts'
import { SERVICE_RECOGNISERS } from './recognisers/services.ts'

/**
 * All recognisers; the first that finds its line wins. So what causes other errors stands before what it causes, and
 * what speaks plainly before what may be a coincidence. To add one, put it into its family with a log sample.
 */
export const RECOGNISERS: readonly Recogniser[] = [
  ...RESOURCE_RECOGNISERS,
  ...PLATFORM_RECOGNISERS,
  ...JAVASCRIPT_PACKAGE_RECOGNISERS,
  ...PYTHON_PACKAGE_RECOGNISERS,
  ...COMPILED_PACKAGE_RECOGNISERS,
  ...COMPILER_RECOGNISERS,
  ...BUNDLER_RECOGNISERS,
  ...SCRIPT_RECOGNISERS,
  ...ENVIRONMENT_RECOGNISERS,
  ...SERVICE_RECOGNISERS,
  ...MODULE_RECOGNISERS,
  ...PORT_RECOGNISERS,
  ...CRASH_RECOGNISERS,
  ...ENDING_RECOGNISERS,
]
