using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;

namespace Breakwater.Proxy.Seeding.Export;

/// <summary>
/// Fetches what a plan lacks, and writes the bundle. Interrupted, what was fetched is in the store: another run goes on there.
/// </summary>
internal sealed class SeedExporter(ObjectGetter getter, IObjectStore store, TimeProvider time)
{
    /// <summary>Fetches at a time: few, since clients go first.</summary>
    private const int Concurrency = 16;

    /// <summary>Fetches all that is missing.</summary>
    /// <exception cref="SeedExportException">An object cannot be had.</exception>
    public async Task FetchAsync(SeedPlan plan, SeedOrder order, IProgress<SeedProgress>? progress, CancellationToken cancellationToken)
    {
        long done = 0;
        long bytes = 0;
        long begun = time.GetTimestamp();
        await Parallel.ForEachAsync(
            plan.Missing,
            new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellationToken },
            async (item, cancel) =>
            {
                long fetched = Interlocked.Add(ref bytes, await getter.FetchAsync(item.Fqrn, item.Key, cancel));
                progress?.Report(new SeedProgress(Interlocked.Increment(ref done), plan.Missing.Count, fetched, plan.MissingBytesEstimate));
                if (order.BytesPerSecond > 0)
                {
                    TimeSpan ahead = TimeSpan.FromSeconds((double)fetched / order.BytesPerSecond) - time.GetElapsedTime(begun);
                    if (ahead > TimeSpan.Zero)
                    {
                        await Task.Delay(ahead, time, cancel);
                    }
                }
            });
    }

    /// <summary>Writes the bundle; the same store and order give the same bytes.</summary>
    /// <returns>The index.</returns>
    /// <exception cref="SeedExportException">An object left the store meanwhile, or is too long for the format.</exception>
    public async Task<SeedIndex> WriteAsync(SeedPlan plan, SeedOrder order, Stream output, IProgress<SeedProgress>? progress,
        CancellationToken cancellationToken)
    {
        Dictionary<ObjectKey, List<string>> owners = [];
        foreach (SeedPlanRepository repository in plan.Repositories)
        {
            foreach (ObjectKey key in repository.Objects)
            {
                if (!owners.TryGetValue(key, out List<string>? names))
                {
                    owners[key] = names = new List<string>(1);
                }

                names.Add(repository.Fqrn);
            }
        }

        // The certificate is carried always: trust is judged before anything else of the bundle is believed.
        ObjectKey[] carried = [.. owners.Keys.Where(key => key.Kind == ObjectKind.Certificate || !order.Since.Contains(key))];
        ObjectKey[] inherited = [.. owners.Keys.Except(carried)];
        Array.Sort(carried, SeedPath.Compare);
        Array.Sort(inherited, SeedPath.Compare);
        List<(string Name, byte[] Bytes)> documents = [.. plan.Repositories.SelectMany(repository => repository.Documents)
            .OrderBy(document => document.Key, StringComparer.Ordinal).Select(document => (document.Key, document.Value))];
        if (inherited.Length > 0)
        {
            documents.Add((SeedPath.Inherited, Encoding.ASCII.GetBytes(string.Concat(inherited.Select(key => key + "\n")))));
        }

        SeedIndex index = MakeIndex(plan, order, owners, carried, inherited.Length, documents);
        await using var writer = new SeedWriter(output);
        await writer.WriteIndexAsync(index.ToBytes(), cancellationToken);
        foreach ((string name, byte[] bytes) in documents)
        {
            await writer.WriteAsync(name, new MemoryStream(bytes), cancellationToken);
        }

        long written = 0;
        for (int i = 0; i < carried.Length; i++)
        {
            written += await WriteObjectAsync(writer, carried[i], owners[carried[i]], cancellationToken);
            progress?.Report(new SeedProgress(i + 1, carried.Length, written, index.ObjectBytes));
        }

        return index;
    }

    private async Task<long> WriteObjectAsync(SeedWriter writer, ObjectKey key, List<string> owners, CancellationToken cancellationToken)
    {
        string first = SeedPath.OfObject(owners[0], key);
        long length = 0;
        foreach (string name in owners.Select(owner => SeedPath.OfObject(owner, key)))
        {
            if (name != first && SeedPath.FitsAsLinkTarget(first))
            {
                await writer.WriteLinkAsync(name, first, cancellationToken);
                continue;
            }

            await using var content = new LeaseStream(Open(key));
            length = content.Length;
            await writer.WriteAsync(name, content, cancellationToken);
        }

        return length;
    }

    private SeedIndex MakeIndex(
        SeedPlan plan,
        SeedOrder order,
        Dictionary<ObjectKey, List<string>> owners,
        ObjectKey[] carried,
        int inherited,
        List<(string Name, byte[] Bytes)> documents)
    {
        using var contents = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long bytes = 0;
        long links = 0;
        foreach (ObjectKey key in carried)
        {
            long length;
            using (ObjectLease lease = Open(key))
            {
                length = lease.Length;
            }

            if (length > TarHeader.MaxSizeBytes)
            {
                throw new SeedExportException(
                    $"Object {key} has {length} bytes; a bundle can carry objects of up to {TarHeader.MaxSizeBytes}.");
            }

            bytes += length;
            string first = SeedPath.OfObject(owners[key][0], key);
            foreach (string name in owners[key].Select(owner => SeedPath.OfObject(owner, key)))
            {
                bool isLink = name != first && SeedPath.FitsAsLinkTarget(first);
                links += isLink ? 1 : 0;
                contents.AppendData(SeedReader.ContentsLine(name, isLink ? -1 : length));
            }
        }

        string name0 =
            string.Join('+', plan.Repositories.Select(repository => repository.Fqrn)) + string.Concat(order.Tags.Select(tag => "-" + tag))
            + (order.WhitelistOnly ? "-whitelist" : "");
        string made = new([.. name0.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '+' ? c : '_').Take(100)]);
        return new SeedIndex
        {
            Format = SeedIndex.CurrentFormat,
            Name = order.Name ?? made,
            Repositories =
                [.. plan.Repositories.Select(repository =>
                new SeedRepository(repository.Fqrn, repository.Manifest.Revision, repository.Whitelist.ExpiresAt, repository.Snapshots))],
            Documents = [
                .. documents.Select(document =>
                    new SeedDocument(document.Name, document.Bytes.Length, Convert.ToHexStringLower(SHA256.HashData(document.Bytes))))],
            Objects = carried.Length,
            ObjectBytes = bytes,
            Links = links,
            Inherited = inherited,
            Contents = Convert.ToHexStringLower(contents.GetCurrentHash()),
        };
    }

    private ObjectLease Open(ObjectKey key) => store.TryOpen(key, out ObjectLease? lease)
        ? lease
        : throw new SeedExportException(
        $"Object {key} left the store during the export: its quota is too small for this bundle. Raise Store:QuotaBytes and run it again.");
}
