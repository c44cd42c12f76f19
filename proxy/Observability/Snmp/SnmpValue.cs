using System.Formats.Asn1;
using System.Text;

namespace Breakwater.Proxy.Observability.Snmp;

/// <summary>A value as it stands in an answer. Numbers are brought into their type's range, never refused.</summary>
internal readonly record struct SnmpValue(SnmpType Type, long Number = 0, string? String = null)
{
    public static readonly SnmpValue Unspecified = new(SnmpType.Unspecified);

    public static readonly SnmpValue NoSuchObject = new(SnmpType.NoSuchObject);

    public static readonly SnmpValue EndOfMibView = new(SnmpType.EndOfMibView);

    public static SnmpValue Integer(double value) => new(SnmpType.Integer, (long)Math.Clamp(value, int.MinValue, int.MaxValue));

    public static SnmpValue Counter(long value) => new(SnmpType.Counter, value & uint.MaxValue);

    public static SnmpValue Gauge(long value) => new(SnmpType.Gauge, Math.Clamp(value, 0, uint.MaxValue));

    public static SnmpValue Ticks(TimeSpan value) => new(SnmpType.Ticks, (value.Ticks / (TimeSpan.TicksPerSecond / 100)) & uint.MaxValue);

    public static SnmpValue Text(string value) => new(SnmpType.Text, 0, value);

    /// <summary>Writes it with its tag.</summary>
    public void WriteTo(AsnWriter writer)
    {
        switch (Type)
        {
            case SnmpType.Integer:
                writer.WriteInteger(Number);
                break;
            case SnmpType.Text:
                writer.WriteOctetString(Encoding.UTF8.GetBytes(String!));
                break;
            case SnmpType.Counter:
                writer.WriteInteger(Number, new Asn1Tag(TagClass.Application, 1));
                break;
            case SnmpType.Gauge:
                writer.WriteInteger(Number, new Asn1Tag(TagClass.Application, 2));
                break;
            case SnmpType.Ticks:
                writer.WriteInteger(Number, new Asn1Tag(TagClass.Application, 3));
                break;
            case SnmpType.Unspecified:
                writer.WriteNull();
                break;
            case SnmpType.NoSuchObject:
                writer.WriteNull(new Asn1Tag(TagClass.ContextSpecific, 0));
                break;
            default:
                writer.WriteNull(new Asn1Tag(TagClass.ContextSpecific, 2));
                break;
        }
    }
}
