using System.Diagnostics;

namespace Breakwater.TestSupport;

/// <summary>Damage to a store's files on the disk, behind the store's back.</summary>
public static class StoreFiles
{
    /// <summary>Returns when an object is in a segment.</summary>
    /// <param name="store">The store's directory.</param>
    /// <param name="bytes">The object's bytes, at least 64.</param>
    public static Task WrittenAsync(string store, byte[] bytes) => Waiting.UntilAsync(() => Find(store, bytes) is not null);

    /// <summary>Flips one bit in the middle of a stored object.</summary>
    /// <param name="store">The store's directory.</param>
    /// <param name="bytes">The object's bytes, at least 64.</param>
    /// <exception cref="InvalidOperationException">The object is in no segment.</exception>
    public static void Flip(string store, byte[] bytes)
    {
        (string path, int at) = Find(store, bytes) ?? throw new InvalidOperationException("The object is in no segment.");
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = at;
        file.WriteByte((byte)(bytes[bytes.Length / 2] ^ 1));
        file.Flush();
        OutlastLook();
    }

    /// <summary>Returns when what a hit found of a file a moment ago counts no longer (ADR 104: 100 µs).</summary>
    public static void OutlastLook()
    {
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromMilliseconds(1))
        {
            Thread.Yield();
        }
    }

    private static (string Path, int At)? Find(string store, byte[] bytes)
    {
        ReadOnlySpan<byte> pattern = bytes.AsSpan(bytes.Length / 2, 32);
        foreach (string path in Directory.GetFiles(Path.Combine(store, "objects"), "*.seg"))
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] all = new byte[file.Length];
            file.ReadExactly(all);
            int at = all.AsSpan().IndexOf(pattern);
            if (at >= 0)
            {
                return (path, at);
            }
        }

        return null;
    }
}
