// npm's openid-client, unmodified, logs in at the twin and uses everything it finds there.
// Arguments: discovery URL, client id, client secret, redirect URI, post-logout URI. The twins' authorities come by
// NODE_EXTRA_CA_CERTS. Exit 0 when every answer is right.

import assert from 'node:assert/strict'
import * as oidc from 'openid-client'

const [discoveryUrl, id, secret, redirectUri, postLogoutUri] = process.argv.slice(2)

async function discover(url) {
  const config = await oidc.discovery(new URL(url), id, undefined, oidc.ClientSecretBasic(secret))
  // Without this the library trusts TLS alone; with it, every ID token's signature is verified by the JWKS.
  oidc.enableNonRepudiationChecks(config)
  return config
}

function unescape(html) {
  return html.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

// What a browser does with the wallet page: read it, fill the form in, follow the answer by hand.
async function choose(authorizationUrl, professional) {
  const page = await fetch(authorizationUrl)
  assert.equal(page.status, 200)
  const html = await page.text()
  assert.match(html, new RegExp(`<button[^>]*name="professional"[^>]*value="${professional}"`))
  const form = new URLSearchParams()
  for (const [, name, value] of html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)) {
    form.set(unescape(name), unescape(value))
  }
  form.set('professional', professional)
  const action = new URL(unescape(html.match(/<form method="post" action="([^"]*)"/)[1]), page.url)
  const answer = await fetch(action, { method: 'POST', body: form, redirect: 'manual' })
  assert.equal(answer.status, 302)
  return { url: new URL(answer.headers.get('location')), cookie: answer.headers.get('set-cookie').split(';')[0] }
}

// The browser's logout: from the issuer on to the wallet, whose cookie it has, then back to the client.
async function end(url, cookie) {
  const answer = await fetch(url, { redirect: 'manual', headers: { cookie } })
  const next = answer.headers.get('location')
  return next?.includes('/protocol/openid-connect/logout') ? end(next, cookie) : answer
}

// Follows redirects by hand up to the client's own address, where nothing listens.
async function lastLocation(url) {
  const answer = await fetch(url, { redirect: 'manual' })
  const next = new URL(answer.headers.get('location'))
  return next.href.startsWith(redirectUri) ? next : lastLocation(next)
}

async function begin(config) {
  const verifier = oidc.randomPKCECodeVerifier()
  const state = oidc.randomState()
  const nonce = oidc.randomNonce()
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid scope_all',
    acr_values: 'eidas1',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  })
  return { url, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true } }
}

async function everythingWorks(config) {
  assert.ok(discoveryUrl.startsWith(config.serverMetadata().issuer))
  assert.ok(config.serverMetadata().supportsPKCE())
  const { url, checks } = await begin(config)
  const back = await choose(url, 'marie-martin')
  const tokens = await oidc.authorizationCodeGrant(config, back.url, checks)
  assert.equal(tokens.token_type, 'bearer')
  assert.equal(tokens.expires_in, 120)
  const claims = tokens.claims()
  assert.equal(claims.SubjectNameID, '899700000017')
  assert.equal(claims.acr, 'eidas1')

  const user = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
  assert.equal(user.SubjectRefPro.exercices[0].codeProfession, '10')
  assert.equal(user.family_name, 'MARTIN')

  const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(renewed.access_token, tokens.access_token)
  assert.equal(renewed.claims().sub, claims.sub)

  const known = await oidc.tokenIntrospection(config, renewed.access_token)
  assert.equal(known.active, true)
  assert.equal(known.username, '899700000017')

  const logout = oidc.buildEndSessionUrl(config, {
    id_token_hint: renewed.id_token,
    post_logout_redirect_uri: postLogoutUri,
    state: 'bye',
  })
  const bye = await end(logout, back.cookie)
  assert.equal(bye.headers.get('location'), `${postLogoutUri}?state=bye`)
  assert.equal((await oidc.tokenIntrospection(config, renewed.access_token)).active, false)
  await assert.rejects(oidc.fetchUserInfo(config, renewed.access_token, claims.sub))
  await assert.rejects(oidc.refreshTokenGrant(config, renewed.refresh_token), { error: 'invalid_grant' })
}

async function refusalsAreUnderstood(config) {
  const wrongKey = await begin(config)
  const back = await choose(wrongKey.url, 'paul-durand')
  const guess = { ...wrongKey.checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() }
  await assert.rejects(oidc.authorizationCodeGrant(config, back.url, guess), { error: 'invalid_grant' })
  // The failed attempt has used the code up.
  await assert.rejects(oidc.authorizationCodeGrant(config, back.url, wrongKey.checks), { error: 'invalid_grant' })

  const stranger = await oidc.discovery(new URL(discoveryUrl), id, undefined, oidc.ClientSecretPost('guess'))
  const { url, checks } = await begin(stranger)
  const answer = await choose(url, 'paul-durand')
  // The library reports a challenge of HTTP when there is one, an error of OAuth else: both are a refusal.
  await assert.rejects(oidc.authorizationCodeGrant(stranger, answer.url, checks), (error) => error.status === 401)

  const { url: silent } = await begin(config)
  silent.searchParams.set('prompt', 'none')
  const location = await lastLocation(silent)
  assert.equal(location.searchParams.get('error'), 'login_required')
}

const config = await discover(discoveryUrl)
await everythingWorks(config)
await refusalsAreUnderstood(config)
console.log('openid-client: every answer is right')
