export { sign, signingKey, type SigningKey } from './signing-key.ts'
export { startTestIssuer, type Behaviour, type TestIssuer } from './test-issuer.ts'
export { claimsFor, type MachineSubject, type UserSubject } from '../token-claims.ts'
