using System.Globalization;
using System.Net;
using System.Text.Json;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.WorkingSets;

/// <summary>The text form of recorded boots, as nodes give them to each other: JSON, a read as its key and its time in ms.</summary>
internal static class BootFile
{
    /// <summary>More than the boots of one repository have.</summary>
    private const int MaxReads = 200_000;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Writes boots of one repository.</summary>
    public static byte[] Write(IReadOnlyList<RecordedBoot> boots) => JsonSerializer.SerializeToUtf8Bytes(
        boots.Select(boot => new BootForm(boot.Id, boot.Client?.ToString(), boot.IsCut,
            [.. boot.Reads.Select(read => string.Create(CultureInfo.InvariantCulture, $"{read.Key} {read.Offset.TotalMilliseconds:0}"))])),
        s_json);

    /// <summary>Reads them; null: it is something else.</summary>
    public static IReadOnlyList<RecordedBoot>? Read(Fqrn repository, ReadOnlySpan<byte> json)
    {
        try
        {
            List<RecordedBoot> boots = [];
            int reads = 0;
            foreach (BootForm? form in JsonSerializer.Deserialize<BootForm?[]>(json, s_json) ?? [])
            {
                if (form is null || form.Reads?.Contains(null!) == true)
                {
                    return null;
                }

                BootRead[] read = [.. (form.Reads ?? []).Select(ReadOf)];
                reads += read.Length;
                if (reads > MaxReads)
                {
                    return null;
                }

                boots.Add(new RecordedBoot(repository, read)
                {
                    Id = form.Id,
                    Client = IPAddress.TryParse(form.Client, out IPAddress? client) ? client : null,
                    IsCut = form.IsCut,
                });
            }

            return boots;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    private static BootRead ReadOf(string text)
    {
        int space = text.IndexOf(' ', StringComparison.Ordinal);
        return space > 0
            && int.TryParse(text.AsSpan(space + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int milliseconds)
            ? new BootRead(ObjectKey.Parse(text[..space]), TimeSpan.FromMilliseconds(milliseconds))
            : throw new FormatException($"'{text}' is no read of a boot.");
    }

    private sealed record BootForm(long Id, string? Client, bool IsCut, IReadOnlyList<string>? Reads);
}
