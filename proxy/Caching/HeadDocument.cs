using System.Text;

namespace Breakwater.Proxy.Caching;

/// <summary>All stored answers of one URI, the newest first, and their form in the store. Immutable.</summary>
/// <param name="Variants">At most <see cref="MaxVariants"/>.</param>
internal sealed record HeadDocument(IReadOnlyList<StoredHead> Variants)
{
    /// <summary>So many answers of one URI are kept; more are an attack or a mistake, and each costs time to match.</summary>
    public const int MaxVariants = 16;

    private const byte Form = 1;

    /// <summary>The newest; null: there is none.</summary>
    public StoredHead? Newest => Variants is [var newest, ..] ? newest : null;

    /// <summary>The newest that suits the request; null: there is none.</summary>
    public StoredHead? Find(HeaderFields request) => Variants.FirstOrDefault(head => VaryKey.Matches(head, request));

    /// <summary>With this answer in the place of that for the same requests; the oldest go.</summary>
    public HeadDocument With(StoredHead head) => new(
        [head, .. Variants.Where(old => !old.VaryValues.SequenceEqual(head.VaryValues)).Take(MaxVariants - 1)]);

    /// <summary>Without this answer: the one of the same body that came at the same time.</summary>
    public HeadDocument Without(StoredHead? head) => head is null
        ? this
        : new([.. Variants.Where(old => old.ReceivedAt != head.ReceivedAt || !old.BodyId.AsSpan().SequenceEqual(head.BodyId))]);

    /// <summary>Its form in the store.</summary>
    public byte[] Encode()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(Form);
        writer.Write((byte)Variants.Count);
        foreach (StoredHead head in Variants)
        {
            writer.Write((short)head.Status);
            writer.Write(head.Reason ?? "");
            writer.Write(head.RequestedAt.UtcTicks);
            writer.Write(head.ReceivedAt.UtcTicks);
            writer.Write((byte)head.BodyId.Length);
            writer.Write(head.BodyId);
            writer.Write(head.Length ?? -1);
            writer.Write7BitEncodedInt(head.VaryValues.Count);
            foreach ((string name, string? value) in head.VaryValues)
            {
                writer.Write(name);
                writer.Write(value is not null);
                writer.Write(value ?? "");
            }

            writer.Write7BitEncodedInt(head.Fields.Count);
            foreach ((string name, string value) in head.Fields)
            {
                writer.Write(name);
                writer.Write(value);
            }
        }

        // Behind all that a version before knows, which reads no further.
        foreach (StoredHead head in Variants)
        {
            writer.Write(head.Source ?? "");
        }

        if (Variants.Any(head => head.Arrival is not null))
        {
            foreach (StoredHead head in Variants)
            {
                writer.Write(head.Arrival?.Process ?? 0);
                writer.Write(head.Arrival?.Timestamp ?? 0);
            }
        }

        writer.Flush();
        return bytes.ToArray();
    }

    /// <summary>Reads it. Null: it is of another version, or damaged.</summary>
    public static HeadDocument? Decode(ReadOnlyMemory<byte> stored)
    {
        try
        {
            using var bytes = new MemoryStream(stored.ToArray(), writable: false);
            using var reader = new BinaryReader(bytes, Encoding.UTF8);
            if (reader.ReadByte() != Form)
            {
                return null;
            }

            var variants = new List<StoredHead>();
            for (int count = reader.ReadByte(); count > 0; count--)
            {
                variants.Add(ReadHead(reader));
            }

            variants = bytes.Position == bytes.Length ? variants : [.. variants.Select(head => Sourced(head, reader))];
            return new HeadDocument(bytes.Position == bytes.Length ? variants : [.. variants.Select(head => Arrived(head, reader))]);
        }
        catch (Exception e) when (e is IOException or ArgumentException or FormatException)
        {
            return null;
        }
    }

    private static StoredHead Sourced(StoredHead head, BinaryReader reader) =>
        reader.ReadString() is { Length: > 0 } source ? head with { Source = source } : head;

    private static StoredHead Arrived(StoredHead head, BinaryReader reader) =>
        new Arrival(reader.ReadInt64(), reader.ReadInt64()) is { Process: not 0 } arrival ? head with { Arrival = arrival } : head;

    private static StoredHead ReadHead(BinaryReader reader)
    {
        short status = reader.ReadInt16();
        string reason = reader.ReadString();
        var requestedAt = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        var receivedAt = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        byte[] bodyId = reader.ReadBytes(reader.ReadByte());
        long length = reader.ReadInt64();
        var vary = new List<KeyValuePair<string, string?>>();
        for (int count = reader.Read7BitEncodedInt(); count > 0; count--)
        {
            string name = reader.ReadString();
            bool hasValue = reader.ReadBoolean();
            string value = reader.ReadString();
            vary.Add(new(name, hasValue ? value : null));
        }

        var fields = new HeaderFields();
        for (int count = reader.Read7BitEncodedInt(); count > 0; count--)
        {
            string name = reader.ReadString();
            fields.Add(name, reader.ReadString());
        }

        return new StoredHead
        {
            Status = status,
            Reason = reason.Length == 0 ? null : reason,
            RequestedAt = requestedAt,
            ReceivedAt = receivedAt,
            BodyId = bodyId,
            Length = length < 0 ? null : length,
            VaryValues = vary,
            Fields = fields,
        };
    }
}
