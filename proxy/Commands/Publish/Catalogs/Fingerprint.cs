using System.Buffers.Binary;
using System.Security.Cryptography;
using Breakwater.CacheStore;
using Breakwater.Proxy.Commands.Publish.Tree;
using Breakwater.Repositories.Writing;

namespace Breakwater.Proxy.Commands.Publish.Catalogs;

/// <summary>SHA-256 over everything that a catalog says, but for its revision and time. Not thread-safe; dispose after use.</summary>
internal sealed class Fingerprint : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[128 << 10];
    private int _used;

    /// <summary>Adds a row with its content.</summary>
    public void Add(in CatalogRow row, FileContent? content)
    {
        Add(row.Key.First);
        Add(row.Key.Second);
        Add((long)row.Flags);
        Add(row.SizeBytes);
        Add(row.Mode);
        Add(row.ModifiedAt);
        Add(row.Uid | ((long)row.Gid << 32));
        Add(row.HardLinks);
        Add(row.Name.Span);
        Add(row.LinkTarget.Span);
        Add(row.Xattrs.Span);
        Add(row.Digest.Span);
        foreach (FileChunk chunk in content?.Chunks ?? [])
        {
            Add(chunk.SizeBytes);
            Add(chunk.Digest);
        }
    }

    /// <summary>Adds a nested catalog.</summary>
    public void Add(ReadOnlySpan<byte> path, in ObjectKey catalog, long inflatedBytes)
    {
        Add(path);
        Span<byte> digest = stackalloc byte[ObjectKey.DigestSizeBytes];
        catalog.CopyDigestTo(digest);
        Add(digest);
        Add(inflatedBytes);
    }

    /// <summary>Adds a number.</summary>
    public void Add(long number)
    {
        Span<byte> bytes = Room(sizeof(long));
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
    }

    /// <summary>The fingerprint.</summary>
    public byte[] Finish()
    {
        Flush();
        return _hash.GetHashAndReset();
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private void Add(ReadOnlySpan<byte> bytes)
    {
        Add(bytes.Length);
        if (bytes.Length > _buffer.Length)
        {
            Flush();
            _hash.AppendData(bytes);
        }
        else
        {
            bytes.CopyTo(Room(bytes.Length));
        }
    }

    private Span<byte> Room(int length)
    {
        if (_used + length > _buffer.Length)
        {
            Flush();
        }

        Span<byte> room = _buffer.AsSpan(_used, length);
        _used += length;
        return room;
    }

    private void Flush()
    {
        _hash.AppendData(_buffer, 0, _used);
        _used = 0;
    }
}
