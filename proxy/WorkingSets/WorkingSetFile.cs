using System.Text.Json;
using System.Text.Json.Serialization;
using Breakwater.CacheStore;
using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>The text form of a working set: JSON, as it is stored, exported and imported.</summary>
internal static class WorkingSetFile
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Writes a set.</summary>
    public static byte[] Write(WorkingSet set) => JsonSerializer.SerializeToUtf8Bytes(
        new FileForm(
            set.Name,
            set.Repository.ToString(),
            set.Source,
            set.Snapshots,
            set.Boots,
            set.UpdatedAt,
            set.WholeDirectories,
            [.. set.Entries.Select(entry => new EntryForm(
                entry.Path,
                entry.IsLiteral,
                entry.Key?.ToString(),
                entry.IsCatalogOnly,
                entry.Ranges?.Select(range => new[] { range.Offset, range.Length }).ToArray(),
                entry.Share,
                entry.Offset?.TotalMilliseconds))]),
        s_json);

    /// <summary>Reads a set; a sentence says what is wrong.</summary>
    public static Parsed<WorkingSet> Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return Read(JsonSerializer.Deserialize<FileForm>(json, s_json));
        }
        catch (JsonException e)
        {
            return new Malformed($"It is not a working set in JSON: {e.Message}");
        }
    }

    /// <summary>Reads a list of sets, or one; a sentence says what is wrong.</summary>
    public static Parsed<IReadOnlyList<WorkingSet>> ReadAll(ReadOnlySpan<byte> json)
    {
        List<WorkingSet> sets = [];
        try
        {
            FileForm?[] forms = IsList(json)
                ? JsonSerializer.Deserialize<FileForm?[]>(json, s_json)!
                : [JsonSerializer.Deserialize<FileForm>(json, s_json)];
            foreach (FileForm? form in forms)
            {
                if (!Read(form).TryGet(out WorkingSet? set, out string? problem))
                {
                    return new Malformed($"Set {sets.Count + 1}: {problem}");
                }

                sets.Add(set);
            }
        }
        catch (JsonException e)
        {
            return new Malformed($"They are not working sets in JSON: {e.Message}");
        }

        return sets;
    }

    /// <summary>Does the text begin as a list does?</summary>
    public static bool IsList(ReadOnlySpan<byte> json) => json.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];

    private static Parsed<WorkingSet> Read(FileForm? form)
    {
        if (form is null || string.IsNullOrEmpty(form.Name) || !Fqrn.TryParse(form.Repository, out Fqrn repository) || form.Entries is null
            || form.Snapshots?.Contains(null!) == true || form.WholeDirectories?.Contains(null!) == true)
        {
            return new Malformed("It is not a working set: name, repository and entries are needed.");
        }

        List<WorkingSetEntry> entries = new(form.Entries.Count);
        foreach (EntryForm entry in form.Entries)
        {
            if (ReadEntry(entry) is not { } read)
            {
                return new Malformed($"Entry {entries.Count + 1} has neither a path nor a key, or a malformed one.");
            }

            entries.Add(read);
        }

        return new WorkingSet
        {
            Name = form.Name,
            Repository = repository,
            Source = form.Source,
            Snapshots = form.Snapshots is { Count: > 0 } snapshots ? snapshots : [WorkingSet.Trunk],
            Entries = entries,
            WholeDirectories = form.WholeDirectories ?? [],
            Boots = form.Boots,
            UpdatedAt = form.UpdatedAt,
        };
    }

    private static WorkingSetEntry? ReadEntry(EntryForm? form)
    {
        ObjectKey key = default;
        bool isPath = form?.Path is { } path && (path.Length == 0 || PathPattern.TryParse(path, out _));
        bool isKey = form?.Key is { } text && ObjectKey.TryParse(text, out key);
        bool hasGoodRanges = form?.Ranges is null || form.Ranges.All(range => range is [>= 0, > 0] && range[0] <= long.MaxValue - range[1]);
        return isPath == isKey || !hasGoodRanges || form!.OffsetMs is < 0 or > 1e12
            ? null
            : new WorkingSetEntry
            {
                Path = form.Path,
                IsLiteral = form.Literal,
                Key = isKey ? key : null,
                IsCatalogOnly = form.CatalogOnly,
                Ranges = form.Ranges is null ? null : [.. form.Ranges.Select(range => new Stretch(range[0], range[1]))],
                Share = form.Share,
                Offset = form.OffsetMs is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
            };
    }

    private sealed record FileForm(
        string Name,
        string Repository,
        WorkingSetSource Source,
        IReadOnlyList<string>? Snapshots,
        int Boots,
        DateTimeOffset UpdatedAt,
        IReadOnlyList<string>? WholeDirectories,
        IReadOnlyList<EntryForm> Entries);

    private sealed record EntryForm(
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Path,
        bool Literal,
        string? Key,
        bool CatalogOnly,
        long[][]? Ranges,
        double Share,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? OffsetMs);
}
