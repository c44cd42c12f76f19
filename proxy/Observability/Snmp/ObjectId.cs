using System.Globalization;

namespace Breakwater.Proxy.Observability.Snmp;

/// <summary>An object identifier: its numbers, ordered as SNMP orders names. Immutable.</summary>
internal sealed class ObjectId : IComparable<ObjectId>
{
    /// <summary>RFC 2578, 7.1.3 allows 128; what is served has 13, and the BER reader takes no more than this.</summary>
    private const int MaxNumbers = 64;

    private readonly uint[] _numbers;

    private ObjectId(uint[] numbers) => _numbers = numbers;

    /// <summary>Reads <c>1.3.6.1</c>; false when it has too many numbers or one is too large.</summary>
    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ObjectId? id)
    {
        string[] parts = text.Split('.', MaxNumbers + 1);
        var numbers = new uint[parts.Length];
        id = null;
        for (int i = 0; i < parts.Length; i++)
        {
            if (!uint.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
            {
                return false;
            }
        }

        id = parts.Length <= MaxNumbers ? new ObjectId(numbers) : null;
        return id is not null;
    }

    /// <inheritdoc/>
    public int CompareTo(ObjectId? other) => other is null ? 1 : _numbers.AsSpan().SequenceCompareTo(other._numbers);

    /// <summary>Is it <paramref name="other"/> followed by the single number 0, as the one instance of a scalar is named?</summary>
    public bool IsInstanceOf(ObjectId other) =>
        _numbers.Length == other._numbers.Length + 1 && _numbers[^1] == 0 && _numbers.AsSpan().StartsWith(other._numbers);

    /// <inheritdoc/>
    public override string ToString() => string.Join('.', _numbers);
}
