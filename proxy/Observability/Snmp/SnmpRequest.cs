using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;

namespace Breakwater.Proxy.Observability.Snmp;

/// <summary>A request as it came, v1 (RFC 1157) or v2c (RFC 1901). From outside: nothing in it is to be believed.</summary>
internal sealed class SnmpRequest
{
    /// <summary>More names in a request are not looked at.</summary>
    public const int MaxNames = 64;

    private const int Version1 = 0;
    private const int Version2c = 1;

    /// <summary>v1, which knows neither GETBULK nor exceptions among the values?</summary>
    public required bool IsVersion1 { get; init; }

    public required ReadOnlyMemory<byte> Community { get; init; }

    public required SnmpOperation Operation { get; init; }

    public required int RequestId { get; init; }

    /// <summary>GETBULK's non-repeaters; otherwise the error status, which a request leaves 0.</summary>
    public required int NonRepeaters { get; init; }

    /// <summary>GETBULK's max-repetitions.</summary>
    public required int MaxRepetitions { get; init; }

    /// <summary>The names, 1 to <see cref="MaxNames"/>.</summary>
    public required IReadOnlyList<ObjectId> Names { get; init; }

    /// <summary>Reads a datagram; false when it is no such request.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> datagram, [NotNullWhen(true)] out SnmpRequest? request)
    {
        try
        {
            request = Read(datagram);
        }
        catch (AsnContentException)
        {
            request = null;
        }

        return request is not null;
    }

    private static SnmpRequest? Read(ReadOnlyMemory<byte> datagram)
    {
        var outer = new AsnReader(datagram, AsnEncodingRules.BER);
        AsnReader message = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        if (!message.TryReadInt32(out int version) || version is not (Version1 or Version2c)
            || !message.TryReadPrimitiveOctetString(out ReadOnlyMemory<byte> community))
        {
            return null;
        }

        Asn1Tag tag = message.PeekTag();
        var operation = (SnmpOperation)tag.TagValue;
        if (tag.TagClass != TagClass.ContextSpecific
            || operation is not (SnmpOperation.Get or SnmpOperation.GetNext or SnmpOperation.Set or SnmpOperation.GetBulk)
            || (operation == SnmpOperation.GetBulk && version == Version1))
        {
            return null;
        }

        AsnReader pdu = message.ReadSequence(tag);
        message.ThrowIfNotEmpty();
        if (!pdu.TryReadInt32(out int id) || !pdu.TryReadInt32(out int nonRepeaters) || !pdu.TryReadInt32(out int repetitions))
        {
            return null;
        }

        AsnReader list = pdu.ReadSequence();
        pdu.ThrowIfNotEmpty();
        return ReadNames(list) is not { } names ? null : new SnmpRequest
        {
            IsVersion1 = version == Version1,
            Community = community,
            Operation = operation,
            RequestId = id,
            NonRepeaters = nonRepeaters,
            MaxRepetitions = repetitions,
            Names = names,
        };
    }

    private static List<ObjectId>? ReadNames(AsnReader list)
    {
        List<ObjectId> names = [];
        while (list.HasData)
        {
            AsnReader variable = list.ReadSequence();
            string name = variable.ReadObjectIdentifier();
            variable.ReadEncodedValue();
            variable.ThrowIfNotEmpty();
            if (names.Count == MaxNames || !ObjectId.TryParse(name, out ObjectId? id))
            {
                return null;
            }

            names.Add(id);
        }

        return names.Count == 0 ? null : names;
    }
}
