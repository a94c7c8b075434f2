export { authorized } from './authorized.ts'
export { withAuth0Names } from './auth0-names.ts'
export { bearerToken, MAX_TOKEN_LENGTH } from './bearer.ts'
export {
  actorOf,
  ANONYMOUS,
  authorOf,
  callerOf,
  ROLES,
  type Caller,
  type Claims,
  type Machine,
  type Role,
  type User,
} from './caller.ts'
export { checkAuthSettings, type AuthPlan, type CheckedSettings, type Side } from './check-settings.ts'
export { createTokenSource, type TokenSource, type TokenSourceOptions } from './client-credentials.ts'
export { AUTH_ERRORS, AuthError, type AuthErrorCode } from './errors.ts'
export { callerOn, guard, type GuardOptions } from './guard.ts'
export { identify, type Identity } from './identify.ts'
export {
  createPolicy,
  PERMISSIONS,
  permissionsOf,
  type Permission,
  type Policy,
  type PolicyOptions,
  type Subject,
} from './policy.ts'
export {
  AUTH_SETTINGS,
  COORDINATOR_AUTH_SETTINGS,
  type AuthSettings,
  type CoordinatorAuthSettings,
} from './settings.ts'
export {
  LOCAL_ROLES,
  SIGN_IN_SETTINGS,
  signInOf,
  tokenOrigins,
  type LocalRole,
  type SignIn,
  type SignInSettings,
  type SignInWay,
} from './sign-in.ts'
export { createVerifier, type Verifier, type VerifierOptions } from './verifier.ts'
