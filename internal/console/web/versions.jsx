import { useEffect, useState } from 'react';

/** The version of the schema that the page's address asks for: ?version=2; null for the server's default. */
export const asked = new URLSearchParams(location.search).get('version');

/** The path of the graph in that version, beside the one without. */
export const endpointOf = (endpoint) => (asked ? endpoint.replace(/graphql$/, `v${encodeURIComponent(asked)}/graphql`) : endpoint);

/** A choice among the versions that can be had; nothing while there is only one, or they are not known. */
export function Versions({ base }) {
  const [versions, setVersions] = useState([]);
  useEffect(() => {
    const left = new AbortController();
    fetch(new URL('versions', base), { signal: left.signal })
      .then((response) => response.json())
      .then((list) => setVersions(list.versions.filter(({ status }) => status !== 'ended')))
      .catch(() => {}); // the playground works without
    return () => left.abort();
  }, [base]);
  if (versions.length < 2) return null;
  const shown = asked ?? versions.find((version) => version.default)?.version;
  return (
    <select
      className="versions"
      aria-label="Version of the schema"
      value={shown}
      onChange={({ target }) => location.assign(`?version=${target.value}`)}
    >
      {versions.map(({ version, status }) => (
        <option key={version} value={version}>
          version {version}
          {status === 'deprecated' ? ' (deprecated)' : ''}
        </option>
      ))}
    </select>
  );
}
