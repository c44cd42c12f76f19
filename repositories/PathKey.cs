using System.Buffers.Binary;
using Breakwater.CacheStore.Hashing;

namespace Breakwater.Repositories;

/// <summary>
/// The key of a path in catalogs: the MD5 of the absolute path (the root is the empty string) as two little-endian integers.
/// </summary>
public readonly record struct PathKey(long First, long Second) : IComparable<PathKey>
{
    /// <summary>The key of a path such as <c>/cvm4/bin/sh</c>.</summary>
    public static PathKey Of(string path) => Of(PathText.Bytes(path));

    /// <summary>The key of a path given as bytes.</summary>
    public static PathKey Of(ReadOnlySpan<byte> path)
    {
        Span<byte> digest = stackalloc byte[16];
        Digests.Md5(path, digest);
        return new PathKey(BinaryPrimitives.ReadInt64LittleEndian(digest), BinaryPrimitives.ReadInt64LittleEndian(digest[8..]));
    }

    /// <summary>The order in which SQLite sorts the two columns.</summary>
    public int CompareTo(PathKey other)
    {
        int first = First.CompareTo(other.First);
        return first != 0 ? first : Second.CompareTo(other.Second);
    }

    /// <summary>Is the first less in the order of <see cref="CompareTo"/>?</summary>
    public static bool operator <(PathKey left, PathKey right) => left.CompareTo(right) < 0;

    /// <summary>Is the first greater in the order of <see cref="CompareTo"/>?</summary>
    public static bool operator >(PathKey left, PathKey right) => left.CompareTo(right) > 0;

    /// <summary>Is the first less or equal in the order of <see cref="CompareTo"/>?</summary>
    public static bool operator <=(PathKey left, PathKey right) => left.CompareTo(right) <= 0;

    /// <summary>Is the first greater or equal in the order of <see cref="CompareTo"/>?</summary>
    public static bool operator >=(PathKey left, PathKey right) => left.CompareTo(right) >= 0;
}
