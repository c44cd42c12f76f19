using Breakwater.CacheStore;
using Breakwater.CacheStore.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Mount;

/// <summary>
/// Objects of a repository, verified: what is handed out hashes to its name. An answer that does not is asked for once more past every
/// cache, then on the next way. Thread-safe.
/// </summary>
/// <param name="downloads">The ways.</param>
/// <param name="directory">Where bytes lie while they come; their files have no name there.</param>
/// <param name="patience">How long all ways are tried again and again when none of them answers.</param>
/// <param name="time">Clock of the patience.</param>
/// <param name="log">Takes a sentence about each failure.</param>
internal sealed class ObjectSource(Downloads downloads, string directory, TimeSpan patience, TimeProvider time, Action<string> log)
{
    /// <summary>No object is longer: what a file or catalog of a repository is, on the wire.</summary>
    private const long MaxWireBytes = 8L << 30;

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>Fetches an object to a file without a name, at its beginning. Null: every way failed.</summary>
    public async Task<FileStream?> FetchAsync(ObjectKey key)
    {
        long begin = time.GetTimestamp();
        while (true)
        {
            bool isWrong = false;
            foreach (Route route in downloads.Routes.InOrder())
            {
                for (int attempt = 0; attempt < 2; attempt++)
                {
                    (FileStream? file, string? problem) = await OnceAsync(route, key, isAgain: attempt == 1);
                    if (file is not null)
                    {
                        return file;
                    }

                    log($"{key} from {route.Server} by {route.Proxy?.ToString() ?? "no proxy"}: {problem ?? "wrong bytes"}.");
                    isWrong |= problem is null;
                    if (problem is not null)
                    {
                        break;
                    }
                }
            }

            if (isWrong || time.GetElapsedTime(begin) + s_pause > patience)
            {
                return null;
            }

            await Task.Delay(s_pause, time);
        }
    }

    /// <summary>A file of the cache's directory that nobody else can open; it is gone with its handle.</summary>
    public FileStream Nameless()
    {
        string path = Path.Combine(directory, Guid.NewGuid().ToString("n"));
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 0);
        File.Delete(path);
        return file;
    }

    /// <summary>The file, or what went wrong; neither: the bytes were wrong.</summary>
    private async Task<(FileStream? File, string? Problem)> OnceAsync(Route route, ObjectKey key, bool isAgain)
    {
        FileStream file = Nameless();
        try
        {
            using var hasher = ObjectHasher.Create(key.Algorithm);
            SafeFileHandle handle = file.SafeFileHandle;
            long at = 0;
            string? problem = await downloads.TryAsync(route, key.ToPath(), MaxWireBytes, isAgain, bytes =>
            {
                hasher.Append(bytes.Span);
                RandomAccess.Write(handle, bytes.Span, at);
                at += bytes.Length;
            });
            if (problem is null && hasher.FinishMatches(key))
            {
                file.Position = 0;
                return (file, null);
            }

            await file.DisposeAsync();
            return (null, problem);
        }
        catch (IOException e)
        {
            await file.DisposeAsync();
            return (null, e.Message); // the cache's disk
        }
    }
}
