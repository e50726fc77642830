// Where the bundle of the step itself begins.
import '../../src/main.ts'
