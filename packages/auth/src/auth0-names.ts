import type { Environment } from '@release-task/settings'

/**
 * Settings of the original coordinator and what they are called here. `AUTH0_AUD` was the audience of the token that
 * it sent; what came in was never compared with an audience, so that `AUTH_AUDIENCE` has no old name.
 */
const OLD_NAMES: { readonly [name: string]: string } = {
  AUTH_ISSUER: 'AUTH0_DOMAIN',
  AUTH_JWKS_URL: 'AUTH0_JWKS',
  AUTH_TOKEN_AUDIENCE: 'AUTH0_AUD',
  AUTH_CLIENT_ID: 'AUTH0_CLIENT',
  AUTH_CLIENT_SECRET: 'AUTH0_SECRET',
}

/**
 * The environment of a coordinator in which the original's names stand in for those that are not set. An
 * `AUTH0_DOMAIN` without a scheme, as the original shipped it, is reached over https (F-28).
 */
export function withAuth0Names(env: Environment): Environment {
  const found = Object.entries(OLD_NAMES)
    .filter(([name, old]) => !env[name] && env[old])
    .map(([name, old]) => [name, old === 'AUTH0_DOMAIN' ? withScheme(env[old]) : env[old]] as const)
  return { ...env, ...Object.fromEntries(found) }
}

function withScheme(domain = ''): string {
  return domain.includes('://') ? domain : `https://${domain}`
}
