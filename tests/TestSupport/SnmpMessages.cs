using System.Formats.Asn1;
using System.Globalization;
using System.Text;

namespace Breakwater.TestSupport;

/// <summary>SNMP's messages from the manager's side, written and read apart from the code under test.</summary>
public static class SnmpMessages
{
    public const int V1 = 0;
    public const int V2c = 1;
    public const int Get = 0;
    public const int GetNext = 1;
    public const int Response = 2;
    public const int Set = 3;
    public const int GetBulk = 5;

    /// <summary>A request for names, with NULL for each value (SET: with 7).</summary>
    /// <param name="version"><see cref="V1"/> or <see cref="V2c"/>.</param>
    /// <param name="community">The community.</param>
    /// <param name="operation">The PDU's tag.</param>
    /// <param name="names">What is asked for.</param>
    /// <param name="nonRepeaters">GETBULK's; 0 for the others.</param>
    /// <param name="maxRepetitions">GETBULK's; 0 for the others.</param>
    public static byte[] Request(int version, string community, int operation, IEnumerable<string> names, int nonRepeaters = 0,
        int maxRepetitions = 0)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(version);
            writer.WriteOctetString(Encoding.ASCII.GetBytes(community));
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, operation)))
            {
                writer.WriteInteger(4711);
                writer.WriteInteger(nonRepeaters);
                writer.WriteInteger(maxRepetitions);
                using (writer.PushSequence())
                {
                    foreach (string name in names)
                    {
                        using (writer.PushSequence())
                        {
                            writer.WriteObjectIdentifier(name);
                            if (operation == Set)
                            {
                                writer.WriteInteger(7);
                            }
                            else
                            {
                                writer.WriteNull();
                            }
                        }
                    }
                }
            }
        }

        return writer.Encode();
    }

    /// <summary>Reads an answer to its last byte.</summary>
    public static SnmpAnswer Read(ReadOnlyMemory<byte> datagram)
    {
        var outer = new AsnReader(datagram, AsnEncodingRules.BER);
        AsnReader message = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        int version = (int)message.ReadInteger();
        string community = Encoding.ASCII.GetString(message.ReadOctetString());
        Asn1Tag tag = message.PeekTag();
        AsnReader pdu = message.ReadSequence(tag);
        (int id, int status, int index) = ((int)pdu.ReadInteger(), (int)pdu.ReadInteger(), (int)pdu.ReadInteger());
        AsnReader list = pdu.ReadSequence();
        List<SnmpVariable> variables = [];
        while (list.HasData)
        {
            AsnReader variable = list.ReadSequence();
            string name = variable.ReadObjectIdentifier();
            Asn1Tag kind = variable.PeekTag();
            string? value = kind switch
            {
                { TagClass: TagClass.Universal, TagValue: (int)UniversalTagNumber.OctetString } =>
                    Encoding.UTF8.GetString(variable.ReadOctetString()),
                { TagClass: TagClass.Universal, TagValue: (int)UniversalTagNumber.Integer } or { TagClass: TagClass.Application } =>
                    variable.ReadInteger(kind).ToString(CultureInfo.InvariantCulture),
                _ => null,
            };
            variables.Add(new SnmpVariable(name, kind.TagClass, kind.TagValue, value));
        }

        return new SnmpAnswer(version, community, tag.TagValue, id, status, index, variables);
    }
}
