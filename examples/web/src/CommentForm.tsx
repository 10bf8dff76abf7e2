import { type FormEvent, useState } from 'react';
import { useMutation } from 'urql';
import { AddComment } from './queries';
import { sentence } from './states';

/** What was written stays in the field until the server has taken it. */
export function CommentForm({ postId }: { postId: string }) {
  const [body, setBody] = useState('');
  const [{ fetching, error, data }, add] = useMutation(AddComment);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    const { data } = await add({ input: { postId, body } });
    if (data?.addComment?.comment) setBody('');
  };
  const refused = data?.addComment?.userErrors[0];
  const problem = refused ? `Your comment ${refused.message}.` : error && sentence(error);
  return (
    <form className="write" onSubmit={send}>
      <label htmlFor="body">Your comment</label>
      <textarea id="body" rows={3} value={body} onChange={(e) => setBody(e.target.value)} aria-describedby="body-problem" />
      <p id="body-problem" role="alert" className="problem">{problem}</p>
      <button disabled={fetching}>{fetching ? 'Sending…' : 'Send'}</button>
    </form>
  );
}
