using System.Net;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>
/// Which clients have shown that the boots of a learned set are real. One that two have shown stays; one that a single client has shown, or
/// none since the start, makes room for another client's boots: no client fills a repository's sets alone. One caller at a time.
/// </summary>
/// <param name="sets">The sets.</param>
internal sealed class SetWitnesses(WorkingSetStore sets)
{
    private readonly Dictionary<(Fqrn Repository, string Name), (IPAddress First, bool AreMore)> _seen = [];

    /// <summary>A client has booted what the set describes.</summary>
    public void Note(Fqrn repository, string name, IPAddress? client)
    {
        if (client is null)
        {
            return;
        }

        bool isKnown = _seen.TryGetValue((repository, name), out (IPAddress First, bool AreMore) seen);
        if (!isKnown)
        {
            foreach ((Fqrn Repository, string Name) gone in _seen.Keys.Where(key => sets.Find(key.Repository, key.Name) is null).ToList())
            {
                _seen.Remove(gone);
            }
        }

        _seen[(repository, name)] = isKnown ? (seen.First, seen.AreMore || !seen.First.Equals(client)) : (client, false);
    }

    /// <summary>The set that makes room for a boot of this client; null: none does.</summary>
    public WorkingSet? LeastProven(IEnumerable<WorkingSet> learned, IPAddress? client) => client is null
        ? null
        : learned.Where(set => !_seen.TryGetValue((set.Repository, set.Name), out (IPAddress First, bool AreMore) seen)
            || !(seen.AreMore || seen.First.Equals(client))).MinBy(set => set.UpdatedAt);

    /// <summary>The set is gone.</summary>
    public void Forget(Fqrn repository, string name) => _seen.Remove((repository, name));
}
