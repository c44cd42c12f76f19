using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>
/// A directory that holds what a Stratum 1 serves: one repository's tree, or several below it or below <c>cvmfs/</c>; also an unpacked
/// bundle. Links are not followed, what is no object or signed document is passed over.
/// </summary>
internal sealed class TreeSource(DirectoryInfo directory, SeedLimits limits) : ISeedSource
{
    private const int ChunkBytes = 256 << 10;

    private readonly List<(string Fqrn, DirectoryInfo Root)> _repositories = [];
    private readonly List<(ObjectKey Key, int Repository, long Length)> _objects = [];
    private SeedIndex? _index;

    /// <inheritdoc/>
    public string Identity { get; private set; } = "";

    /// <inheritdoc/>
    public async Task<SeedIndex> ReadIndexAsync(CancellationToken cancellationToken)
    {
        FindRepositories();
        FindObjects(cancellationToken);
        string indexPath = Path.Combine(directory.FullName, SeedPath.Index);
        if (File.Exists(indexPath))
        {
            byte[] bytes = await File.ReadAllBytesAsync(indexPath, cancellationToken);
            Identity = Convert.ToHexStringLower(SHA256.HashData(bytes));
            return _index =
                SeedIndex.Read(bytes, -1,
                await File.ReadAllBytesAsync(Path.Combine(directory.FullName, SeedPath.Checksums), cancellationToken), -1);
        }

        string name = _repositories.Count == 1 ? _repositories[0].Fqrn : directory.Name;
        return _index = new SeedIndex
        {
            Format = SeedIndex.TreeFormat,
            Name = SeedName.IsValid(name) ? name : "tree",
            Repositories = [.. _repositories.Select(repository => new SeedRepository(repository.Fqrn, 0, default, []))],
            Documents = [],
            Objects = _objects.Count,
            ObjectBytes = _objects.Sum(found => found.Length),
            Links = 0,
            Inherited = 0,
            Contents = "",
        };
    }

    /// <inheritdoc/>
    public async Task ReadContentAsync(ISeedVisitor visitor, CancellationToken cancellationToken)
    {
        foreach ((string fqrn, DirectoryInfo root) in _repositories)
        {
            foreach (string file in (string[])[SeedPath.Manifest, SeedPath.Whitelist])
            {
                await VisitDocumentAsync(visitor, SeedPath.OfDocument(fqrn, file), new FileInfo(Path.Combine(root.FullName, file)),
                    cancellationToken);
            }

            await VisitDocumentAsync(visitor, SeedPath.OfMasterKey(fqrn),
                new FileInfo(Path.Combine(directory.FullName, SeedPath.OfMasterKey(fqrn))), cancellationToken);
        }

        await VisitDocumentAsync(visitor, SeedPath.Inherited, new FileInfo(Path.Combine(directory.FullName, SeedPath.Inherited)),
            cancellationToken);
        byte[] buffer = new byte[ChunkBytes];
        foreach ((ObjectKey key, int repository, long length) in _objects)
        {
            (string fqrn, DirectoryInfo root) = _repositories[repository];
            string name = SeedPath.OfObject(fqrn, key);
            await using FileStream file =
                new(Path.Combine(root.FullName, key.ToPath()), FileMode.Open, FileAccess.Read, FileShare.Read, 0,
                FileOptions.Asynchronous | FileOptions.SequentialScan);
            await visitor.OnObjectAsync(new SeedPath(SeedEntryKind.Object, fqrn, key), name, length, -1, cancellationToken);
            int read;
            while ((read = await file.ReadAsync(buffer, cancellationToken)) > 0)
            {
                await visitor.OnObjectBytesAsync(buffer.AsMemory(0, read), cancellationToken);
            }

            await visitor.OnObjectEndAsync(cancellationToken);
        }
    }

    private async Task VisitDocumentAsync(ISeedVisitor visitor, string name, FileInfo file, CancellationToken cancellationToken)
    {
        if (!IsPlain(file))
        {
            return;
        }

        if (file.Length > SeedReader.MostBytesOf(name))
        {
            throw new SeedRefusedException(name, -1, $"has {file.Length} bytes");
        }

        byte[] bytes = await File.ReadAllBytesAsync(file.FullName, cancellationToken);
        SeedDocument? stated = _index!.Documents.FirstOrDefault(document => document.Name == name);
        if (stated is not null && stated.Sha256 != Convert.ToHexStringLower(SHA256.HashData(bytes)))
        {
            throw new SeedRefusedException(name, -1, "does not have the SHA-256 that the index states");
        }

        await visitor.OnDocumentAsync(name, bytes, -1, cancellationToken);
    }

    private void FindRepositories()
    {
        DirectoryInfo[] roots = [directory, .. Below(directory), .. Below(new DirectoryInfo(Path.Combine(directory.FullName, "cvmfs")))];
        foreach (DirectoryInfo root in roots)
        {
            var published = new FileInfo(Path.Combine(root.FullName, SeedPath.Manifest));
            if (IsPlain(published) && published.Length <= Manifest.MaxBytes
                && Manifest.Parse(File.ReadAllBytes(published.FullName)).TryGet(out Manifest? manifest, out _)
                && SeedPath.IsFqrn(manifest.RepositoryName))
            {
                _repositories.Add((manifest.RepositoryName, root));
            }
        }

        _repositories.Sort((left, right) => string.CompareOrdinal(left.Fqrn, right.Fqrn));
        for (int i = 1; i < _repositories.Count; i++)
        {
            if (_repositories[i - 1].Fqrn == _repositories[i].Fqrn)
            {
                throw new SeedRefusedException(
                    _repositories[i].Root.FullName, -1,
                    $"is {_repositories[i].Fqrn}, and so is {_repositories[i - 1].Root.FullName}: move one of them out of the tree");
            }
        }

        if (_repositories.Count == 0)
        {
            throw new SeedRefusedException(directory.FullName, -1,
                "holds no repository: there is no readable .cvmfspublished in it, in its directories, or below cvmfs/");
        }
    }

    private static IEnumerable<DirectoryInfo> Below(DirectoryInfo parent) =>
        parent.Exists ? parent.EnumerateDirectories().Where(d => d.LinkTarget is null) : [];

    /// <summary>Links are not followed, and whoever opens a pipe waits for its other end.</summary>
    private static bool IsPlain(FileInfo file) => file.Exists && file.LinkTarget is null && !FileKind.IsSpecial(file.FullName);

    private void FindObjects(CancellationToken cancellationToken)
    {
        for (int i = 0; i < _repositories.Count; i++)
        {
            foreach (DirectoryInfo bucket in Below(new DirectoryInfo(Path.Combine(_repositories[i].Root.FullName, "data"))))
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (FileInfo file in bucket.EnumerateFiles())
                {
                    if (!SeedPath.TryParseObject($"data/{bucket.Name}/{file.Name}", out ObjectKey key) || !IsPlain(file))
                    {
                        continue;
                    }

                    if (file.Length > limits.MaxObjectBytes)
                    {
                        throw new SeedRefusedException(file.FullName, -1,
                            $"has {file.Length} bytes; objects have {limits.MaxObjectBytes} at most (Store:MaxObjectBytes)");
                    }

                    if (_objects.Count == SeedIndex.MaxObjects)
                    {
                        throw new SeedRefusedException(directory.FullName, -1, $"holds more than {SeedIndex.MaxObjects} objects");
                    }

                    _objects.Add((key, i, file.Length));
                }
            }
        }

        _objects.Sort((left, right) => SeedPath.Compare(left.Key, right.Key) is var byKey && byKey != 0
            ? byKey
            : left.Repository.CompareTo(right.Repository));
        int kept = 0;
        for (int i = 0; i < _objects.Count; i++)
        {
            if (kept == 0 || _objects[kept - 1].Key != _objects[i].Key)
            {
                _objects[kept++] = _objects[i];
            }
        }

        _objects.RemoveRange(kept, _objects.Count - kept);
    }
}
