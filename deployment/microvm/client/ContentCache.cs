using System.Buffers;
using Breakwater.CacheStore;
using Breakwater.Repositories;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.Mount;

/// <summary>
/// Inflated objects in files without a name, up to a quota; those unused for longest go first. One fetch for all who wait. Thread-safe.
/// </summary>
internal sealed class ContentCache(ObjectSource source, long quotaBytes, int maxFiles, Action<string> log)
{
    private readonly Dictionary<ContentKey, LinkedListNode<Content>> _byKey = []; // this and the next three: guarded by _gate
    private readonly LinkedList<Content> _byUse = [];
    private readonly Dictionary<ContentKey, Task<SafeFileHandle?>> _coming = [];
    private readonly Lock _gate = new();
    private long _bytes;

    /// <summary>Bytes that are kept now.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Reads all of <paramref name="to"/> from a content. False: it cannot be had.</summary>
    /// <exception cref="OperationCanceledException">The reader gave up; the fetch goes on for others.</exception>
    public bool Read(ContentKey key, long offset, Span<byte> to, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < 4; attempt++)
        {
            if (Handle(key, cancellationToken) is not { } handle)
            {
                return false;
            }

            try
            {
                return RandomAccess.Read(handle, to, offset) == to.Length;
            }
            catch (ObjectDisposedException)
            {
                // It was evicted in between: fetch it again.
            }
            catch (IOException e)
            {
                log($"{key.Object}: {e.Message}");
                return false;
            }
        }

        return false;
    }

    private SafeFileHandle? Handle(ContentKey key, CancellationToken cancellationToken)
    {
        Task<SafeFileHandle?>? coming;
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out LinkedListNode<Content>? known))
            {
                _byUse.Remove(known);
                _byUse.AddFirst(known);
                return known.Value.Handle;
            }

            if (!_coming.TryGetValue(key, out coming))
            {
                _coming[key] = coming = Task.Run(() => LoadAsync(key), CancellationToken.None);
            }
        }

        coming.Wait(cancellationToken);
        return coming.Result;
    }

    private async Task<SafeFileHandle?> LoadAsync(ContentKey key)
    {
        SafeFileHandle? handle = null;
        try
        {
            await using FileStream? wire = await source.FetchAsync(key.Object);
            handle = wire is null ? null : Inflate(wire, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log($"{key.Object}: {e.Message}");
        }
        finally
        {
            Settle(key, handle);
        }

        return handle;
    }

    private void Settle(ContentKey key, SafeFileHandle? handle)
    {
        lock (_gate)
        {
            _coming.Remove(key);
            if (handle is null)
            {
                return;
            }

            _byKey[key] = _byUse.AddFirst(new Content(key, handle));
            _bytes += key.SizeBytes;
            while ((_bytes > quotaBytes || _byUse.Count > maxFiles) && _byUse.Count > 1)
            {
                Content last = _byUse.Last!.Value;
                _byUse.RemoveLast();
                _byKey.Remove(last.Key);
                _bytes -= last.Key.SizeBytes;
                last.Handle.Dispose(); // a read that runs keeps it open to its end
            }
        }
    }

    /// <summary>The content as a file. Null: it is not what the catalog says of it.</summary>
    private SafeFileHandle? Inflate(FileStream wire, ContentKey key)
    {
        FileStream file = source.Nameless();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            using Stream content = key.IsPlain ? wire : WireContent.Open(wire);
            long at = 0;
            for (int n; at <= key.SizeBytes && (n = content.Read(buffer)) > 0; at += n)
            {
                RandomAccess.Write(file.SafeFileHandle, buffer.AsSpan(0, n), at);
            }

            if (at == key.SizeBytes)
            {
                return file.SafeFileHandle;
            }

            log($"{key.Object}: its content has not the {key.SizeBytes} bytes of which the catalog speaks.");
        }
        catch (Exception e) when (WireContent.IsDamage(e))
        {
            log($"{key.Object}: {e.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        file.Dispose();
        return null;
    }

    private readonly record struct Content(ContentKey Key, SafeFileHandle Handle);
}
