import { type Html, html } from '../html.ts'
import type { Session } from '../writing/sessions.ts'
import { accountUrl, problem } from './parts.ts'

/** What stands in the forms: what was typed before something went wrong. Passwords are typed again. */
export interface Typed {
  readonly handle?: string
  readonly identifier?: string
  readonly text?: string
  readonly collection?: string
  readonly record?: string
}

/** Which of the forms could not be carried out, and why. */
export interface FormProblem {
  readonly form: 'sign-up' | 'sign-in' | 'post' | 'record'
  readonly message: string
}

/** Sign up or in; then write. */
export function writePage(session: Session | undefined, typed: Typed = {}, wrong?: FormProblem): Html {
  const problemOf = (form: FormProblem['form']) => (wrong?.form === form ? problem(wrong.message) : '')
  return session === undefined ? beginning(typed, problemOf) : composer(session, typed, problemOf, wrong)
}

type ProblemOf = (form: FormProblem['form']) => Html | string

function beginning(typed: Typed, problemOf: ProblemOf): Html {
  return html`<h1>Write</h1>
<p class="lead">A post needs somebody who writes it. Accounts here are real ones, with a DID, a signing key and a repository; they exist on this machine only.</p>
<div class="columns">
<section aria-labelledby="sign-up-title" class="card">
<h2 id="sign-up-title">Make an account</h2>
${problemOf('sign-up')}
<form method="post" action="/write/sign-up" class="stack">
<label>Handle <span class="suffixed"><input name="handle" required value="${typed.handle ?? ''}" placeholder="alice" autocomplete="username" autocapitalize="off" spellcheck="false" pattern="[a-zA-Z0-9](?:[a-zA-Z0-9\\-]*[a-zA-Z0-9])?(?:\\.test)?" title="letters, digits and hyphens" maxlength="30"><span class="suffix">.test</span></span></label>
<label>Password <input type="password" name="password" required autocomplete="new-password" maxlength="256"></label>
<button type="submit" class="primary">Make the account</button>
</form>
</section>
<section aria-labelledby="sign-in-title" class="card">
<h2 id="sign-in-title">Or sign in</h2>
${problemOf('sign-in')}
<form method="post" action="/write/sign-in" class="stack">
<label>Handle or DID <input name="identifier" required value="${typed.identifier ?? ''}" placeholder="alice.test" autocomplete="username" autocapitalize="off" spellcheck="false"></label>
<label>Password <input type="password" name="password" required autocomplete="current-password"></label>
<button type="submit">Sign in</button>
</form>
</section>
</div>`
}

function composer(
  session: Session,
  typed: Typed,
  problemOf: ProblemOf,
  wrong: FormProblem | undefined,
): Html {
  return html`<header class="split">
<h1>Write</h1>
<form method="post" action="/write/sign-out" class="inline"><span>as <a href="${accountUrl(session.did)}">${session.handle}</a></span> <button type="submit" class="plain">Sign out</button></form>
</header>
<section aria-label="New post">
${problemOf('post')}
<form method="post" action="/write/post" class="stack composer">
<label for="text" class="visually-hidden">Text of the post</label>
<textarea id="text" name="text" rows="4" required maxlength="3000" placeholder="Say something">${typed.text ?? ''}</textarea>
<p class="actions"><button type="submit" class="primary">Post, and follow it</button></p>
</form>
</section>
<details class="card"${wrong?.form === 'record' ? html` open` : ''}>
<summary>Write any other record</summary>
${problemOf('record')}
<form method="post" action="/write/record" class="stack">
<label>Collection <input name="collection" required value="${typed.collection ?? 'com.example.note'}" autocapitalize="off" spellcheck="false"></label>
<label>Record, as JSON <textarea name="record" rows="6" required spellcheck="false" class="code">${typed.record ?? '{\n  "title": "A note",\n  "stars": 5\n}'}</textarea></label>
<p class="actions"><button type="submit">Write the record, and follow it</button></p>
</form>
</details>`
}
