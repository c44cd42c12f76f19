using System.Text.Json;
using Breakwater.CacheStore.Disk;
using Breakwater.Proxy.Boots;

namespace Breakwater.Proxy.Trends;

/// <summary>What is kept of the history between processes: one small file, there as a whole or not at all.</summary>
/// <param name="Minutes">A day.</param>
/// <param name="Hours">30 days.</param>
/// <param name="Storms">Of 30 days, the newest first.</param>
internal sealed record HistoryFile(HistoryColumns? Minutes, HistoryColumns? Hours, StormView[]? Storms)
{
    /// <summary>More than the longest history takes: a file of this size is none of ours.</summary>
    private const long MostBytes = 4 << 20;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Reads it; an empty one when there is none.</summary>
    /// <exception cref="IOException">It cannot be read, or is no history.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public static HistoryFile Read(string path)
    {
        if (!File.Exists(path))
        {
            return new HistoryFile(null, null, null);
        }

        if (new FileInfo(path).Length > MostBytes)
        {
            throw new IOException($"{path} is longer than a history can be.");
        }

        try
        {
            return JsonSerializer.Deserialize<HistoryFile>(File.ReadAllBytes(path), s_json) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw new IOException($"{path} is no history: {e.Message}", e);
        }
    }

    /// <summary>Writes it.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public void Write(string path) => WholeFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, s_json), WholeFile.Readable);
}
