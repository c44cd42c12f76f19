using System.Net;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Guessing;
using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>
/// Where every request passes by, hit or miss: boots are recorded, and a boot that begins is run ahead of, by what is known of it or by
/// guesses. Thread-safe, cheap.
/// </summary>
internal sealed class BootObserver(
    BootRecorder recorder, WorkingSetPreparer preparer, WorkingSetStore sets, Guesser guesser, PublishedSets published,
    SignedDocuments documents, TimeProvider time)
{
    private readonly Func<Fqrn, bool> _isKnown = sets.Any;
    private readonly long _start = time.GetTimestamp();

    /// <summary>Takes note of a request.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="key">The object; null: the manifest.</param>
    /// <param name="client">The client's address.</param>
    /// <param name="connection">Identity of the connection.</param>
    public void Observe(RepositoryRoute repository, ObjectKey? key, IPAddress client, string connection)
    {
        if (!recorder.Concerns(key))
        {
            return;
        }

        recorder.Observe(new ObservedRequest(repository.Fqrn, key, client, connection, time.GetElapsedTime(_start)));
        if (key is ObjectKey asked)
        {
            guesser.Observe(repository, asked, _isKnown);
        }

        if (key is null or { Kind: ObjectKind.Catalog })
        {
            BootBegan(repository);
        }
    }

    // Apart: a closure is allocated where its method begins, and nearly all requests end before it.
    private void BootBegan(RepositoryRoute repository)
    {
        if (sets.Any(repository.Fqrn))
        {
            preparer.BootBegan(repository, () => documents.Find(repository));
        }
        else if (documents.Find(repository) is { IsVerified: true } pair)
        {
            published.Look(repository, pair.Parsed, () => preparer.BootBegan(repository, () => documents.Find(repository)));
        }
    }

    /// <summary>The boots that are over.</summary>
    public IReadOnlyList<RecordedBoot> TakeFinished() => recorder.TakeFinished(time.GetElapsedTime(_start));
}
