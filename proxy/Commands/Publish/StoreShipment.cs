using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Keys;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary>
/// A published repository on its way into Breakwater's own store, as a seed bundle: what the store has already is only named. The import
/// checks
/// every byte and that all is there, pins it and shows it, or leaves the old revision. Files that are in the store need not be in the
/// folder.
/// </summary>
internal sealed class StoreShipment
{
    private readonly RepositoryFolder _folder;
    private readonly CurrentRepository _current;
    private readonly List<(string Name, byte[] Bytes)> _documents;
    private readonly ObjectKey[] _carried;
    private readonly ObjectKey[] _all;

    /// <summary>Looks at what a folder has and the store has not.</summary>
    public StoreShipment(RepositoryFolder folder, CurrentRepository current, PublishKeys keys)
    {
        (_folder, _current) = (folder, current);
        StoredObjects stored = StoredObjects.Load(folder.StateFile(StoredObjects.FileName));
        ObjectKey[] here = [.. ObjectsIn(folder.Root)];

        // The certificate is carried always, trust is judged by it first; files are in the folder only until the store has them.
        _carried = [.. here.Where(key => key.Kind is ObjectKind.Certificate or 0 or ObjectKind.Chunk || !stored.Keys.Contains(key))];
        _all = [.. here.Union(stored.Keys)];
        ObjectKey[] inherited = [.. _all.Except(_carried)];
        Array.Sort(_carried, SeedPath.Compare);
        Array.Sort(inherited, SeedPath.Compare);
        _documents =
        [
            (SeedPath.OfMasterKey(folder.Fqrn), Encoding.ASCII.GetBytes(keys.ReadPublic())),
            (SeedPath.OfDocument(folder.Fqrn, SeedPath.Manifest), folder.Read(RepositoryFolder.Manifest)!),
            (SeedPath.OfDocument(folder.Fqrn, SeedPath.Whitelist), folder.Read(RepositoryFolder.Whitelist)!),
        ];
        _documents.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        Shown = Convert.ToHexStringLower(SHA256.HashData([.. _documents.SelectMany(document => document.Bytes)]));
        IsNeeded = Shown != stored.Shown || _carried.Any(key => key.Kind != ObjectKind.Certificate) || stored.Keys.Count != _all.Length;
        Inherited = inherited.Length;
        if (inherited.Length > 0)
        {
            _documents.Add((SeedPath.Inherited, Encoding.ASCII.GetBytes(string.Concat(inherited.Select(key => key + "\n")))));
        }
    }

    /// <summary>Hash of what is to be shown.</summary>
    public string Shown { get; }

    /// <summary>Is there anything that the store does not have?</summary>
    public bool IsNeeded { get; }

    /// <summary>Objects that the store has already.</summary>
    public int Inherited { get; }

    /// <summary>Writes the bundle.</summary>
    public async Task WriteAsync(Stream output, CancellationToken cancellationToken)
    {
        await using var writer = new SeedWriter(output);
        await writer.WriteIndexAsync(MakeIndex().ToBytes(), cancellationToken);
        foreach ((string name, byte[] bytes) in _documents)
        {
            await writer.WriteAsync(name, new MemoryStream(bytes), cancellationToken);
        }

        foreach (ObjectKey key in _carried)
        {
            await using FileStream content = File.OpenRead(_folder.Objects.PathOf(key));
            await writer.WriteAsync(SeedPath.OfObject(_folder.Fqrn, key), content, cancellationToken);
        }
    }

    /// <summary>The store has all of it: it is remembered, and files are removed from the folder.</summary>
    public void Complete()
    {
        new StoredObjects(Shown, _all.ToHashSet()).Save(_folder.StateFile(StoredObjects.FileName));
        foreach (ObjectKey key in _carried.Where(key => key.Kind is 0 or ObjectKind.Chunk))
        {
            File.Delete(_folder.Objects.PathOf(key));
        }
    }

    private static IEnumerable<ObjectKey> ObjectsIn(string root)
    {
        foreach (DirectoryInfo bucket in new DirectoryInfo(Path.Combine(root, "data")).EnumerateDirectories())
        {
            foreach (FileInfo file in bucket.EnumerateFiles())
            {
                if (ObjectKey.TryParse(bucket.Name + file.Name, out ObjectKey key))
                {
                    yield return key;
                }
            }
        }
    }

    private SeedIndex MakeIndex()
    {
        using var contents = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long bytes = 0;
        foreach (ObjectKey key in _carried)
        {
            long length = new FileInfo(_folder.Objects.PathOf(key)).Length;
            bytes += length;
            contents.AppendData(SeedReader.ContentsLine(SeedPath.OfObject(_folder.Fqrn, key), length));
        }

        Manifest manifest = _current.Manifest;
        IEnumerable<SeedSnapshot> snapshots = _current.Tags
            .Where(tag => tag.Name is not (CurrentRepository.Trunk or CurrentRepository.TrunkPrevious))
            .OrderBy(tag => tag.Name, StringComparer.Ordinal)
            .Select(tag => new SeedSnapshot(tag.Name, tag.Revision, tag.RootCatalog.ToString(), "all", IsWhole: true))
            .Prepend(new SeedSnapshot("", manifest.Revision, manifest.RootCatalog.ToString(), "all", IsWhole: true));
        return new SeedIndex
        {
            Format = SeedIndex.CurrentFormat,
            Name = SeedName.OfPublished(_folder.Fqrn),
            Repositories =
            [
                new SeedRepository(
                    _folder.Fqrn,
                    manifest.Revision,
                    WhitelistRenewal.ExpiryOf(_folder.Read(RepositoryFolder.Whitelist)!),
                    [.. snapshots]),
            ],
            Documents =
            [
                .. _documents.Select(document =>
                    new SeedDocument(document.Name, document.Bytes.Length, Convert.ToHexStringLower(SHA256.HashData(document.Bytes)))),
            ],
            Objects = _carried.Length,
            ObjectBytes = bytes,
            Links = 0,
            Inherited = Inherited,
            Contents = Convert.ToHexStringLower(contents.GetCurrentHash()),
        };
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{_carried.Length} objects sent, {Inherited} were in the store");
}
