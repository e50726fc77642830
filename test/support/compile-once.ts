import type { JsonSchemaValidator, jsonSchemaValidator } from '@modelcontextprotocol/sdk/validation'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'

const ajv = new AjvJsonSchemaValidator()
const compiled = new Map<string, JsonSchemaValidator<unknown>>()

/**
 * For MCP clients, of which a test starts one or more: what the answers of a platform's tools have to be like is compiled
 * once, and not by every client whenever it lists the tools, which takes longer than the rest of many a test.
 */
export const compileOnce: jsonSchemaValidator = {
  getValidator<T>(schema: Parameters<jsonSchemaValidator['getValidator']>[0]) {
    const text = JSON.stringify(schema)
    const validator = compiled.get(text) ?? ajv.getValidator<unknown>(schema)
    compiled.set(text, validator)
    return validator as JsonSchemaValidator<T>
  },
}
