using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;

namespace Breakwater.Proxy.Observability.Snmp;

/// <summary>
/// Answers a datagram with a datagram. Read-only: there is no way to set anything. An answer always fits one unfragmented packet, whatever
/// was asked for, so that a forged sender gains little. Thread-safe.
/// </summary>
internal sealed class SnmpResponder(string community, SquidMib mib)
{
    /// <summary>Longest datagram read or sent: what an Ethernet frame carries by IPv4.</summary>
    public const int MaxDatagramBytes = 1472;

    /// <summary>Of it, for names and values: what is left beside the longest community and the heads.</summary>
    private const int MaxVariableBytes = MaxDatagramBytes - 128;

    private readonly byte[] _community = Encoding.ASCII.GetBytes(community);

    /// <summary>RFC 3416, 3: what went wrong with a whole request.</summary>
    private enum ErrorStatus
    {
        None = 0,
        TooBig = 1,
        NoSuchName = 2,
        NotWritable = 17,
    }

    /// <summary>The answer; null when there is none, for the reason given.</summary>
    public byte[]? Answer(ReadOnlyMemory<byte> datagram, out SnmpRefusal refusal)
    {
        if (datagram.Length > MaxDatagramBytes || !SnmpRequest.TryRead(datagram, out SnmpRequest? request))
        {
            refusal = SnmpRefusal.Malformed;
            return null;
        }

        if (!CryptographicOperations.FixedTimeEquals(request.Community.Span, _community))
        {
            refusal = SnmpRefusal.WrongCommunity;
            return null;
        }

        refusal = SnmpRefusal.None;
        return request.Operation switch
        {
            SnmpOperation.Set => Refuse(request, request.IsVersion1 ? ErrorStatus.NoSuchName : ErrorStatus.NotWritable, 1),
            SnmpOperation.GetBulk => Bulk(request),
            _ => Each(request),
        };
    }

    /// <summary>GET and GETNEXT: a value for each name, or an error for all.</summary>
    private byte[] Each(SnmpRequest request)
    {
        var variables = new Variables();
        for (int i = 0; i < request.Names.Count; i++)
        {
            ObjectId asked = request.Names[i];
            (ObjectId id, SnmpValue value) = request.Operation == SnmpOperation.Get ? (asked, mib.Get(asked)) : mib.Next(asked);
            if (request.IsVersion1 && value.Type is SnmpType.NoSuchObject or SnmpType.EndOfMibView)
            {
                return Refuse(request, ErrorStatus.NoSuchName, i + 1);
            }

            if (!variables.TryAdd(id, value))
            {
                return Refuse(request, ErrorStatus.TooBig, 0);
            }
        }

        return Encode(request, ErrorStatus.None, 0, variables);
    }

    /// <summary>GETBULK (RFC 3416, 4.2.3): the next value of the first names, then rounds of the rest for as long as they fit.</summary>
    private byte[] Bulk(SnmpRequest request)
    {
        var variables = new Variables();
        int single = Math.Clamp(request.NonRepeaters, 0, request.Names.Count);
        bool fits = true;
        foreach (ObjectId name in request.Names.Take(single))
        {
            (ObjectId id, SnmpValue value) = mib.Next(name);
            fits = fits && variables.TryAdd(id, value);
        }

        ObjectId[] repeated = [.. request.Names.Skip(single)];
        bool isMore = repeated.Length > 0;
        for (int round = 0; isMore && fits && round < request.MaxRepetitions; round++)
        {
            isMore = false;
            for (int i = 0; i < repeated.Length && fits; i++)
            {
                (repeated[i], SnmpValue value) = mib.Next(repeated[i]);
                isMore |= value.Type != SnmpType.EndOfMibView;
                fits = variables.TryAdd(repeated[i], value);
            }
        }

        return Encode(request, ErrorStatus.None, 0, variables);
    }

    /// <summary>
    /// The names of the request without values: nothing that came from outside is sent back unread. No names where a v2c answer would be
    /// too big.
    /// </summary>
    private static byte[] Refuse(SnmpRequest request, ErrorStatus status, int index)
    {
        var variables = new Variables();
        foreach (ObjectId name in status == ErrorStatus.TooBig && !request.IsVersion1 ? [] : request.Names)
        {
            variables.TryAdd(name, SnmpValue.Unspecified);
        }

        return Encode(request, status, index, variables);
    }

    private static byte[] Encode(SnmpRequest request, ErrorStatus status, int index, Variables variables)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(request.IsVersion1 ? 0 : 1);
            writer.WriteOctetString(request.Community.Span);
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, (int)SnmpOperation.Response)))
            {
                writer.WriteInteger(request.RequestId);
                writer.WriteInteger((int)status);
                writer.WriteInteger(index);
                variables.WriteTo(writer);
            }
        }

        return writer.Encode();
    }

    /// <summary>Names with values, as many as fit.</summary>
    private sealed class Variables
    {
        private readonly List<byte[]> _encoded = [];
        private int _bytes;

        public bool TryAdd(ObjectId id, SnmpValue value)
        {
            var writer = new AsnWriter(AsnEncodingRules.BER);
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(id.ToString());
                value.WriteTo(writer);
            }

            byte[] encoded = writer.Encode();
            if (_bytes + encoded.Length > MaxVariableBytes)
            {
                return false;
            }

            _encoded.Add(encoded);
            _bytes += encoded.Length;
            return true;
        }

        public void WriteTo(AsnWriter writer)
        {
            using (writer.PushSequence())
            {
                _encoded.ForEach(encoded => writer.WriteEncodedValue(encoded));
            }
        }
    }
}
