namespace Breakwater.Laboratory.Client;

/// <summary>Decodes a chunked body as it comes in (RFC 9112, 7.1).</summary>
internal sealed class ChunkedBody
{
    private enum At
    {
        Size,
        Data,
        DataEnd,
        Trailer,
        Done,
    }

    private At _at;
    private long _left;
    private int _lineLength;
    private bool _inExtension;

    /// <summary>The last chunk and the trailer are in.</summary>
    public bool IsDone => _at == At.Done;

    /// <summary>Starts with the next body.</summary>
    public void Begin() => (_at, _left, _lineLength, _inExtension) = (At.Size, 0, 0, false);

    /// <summary>Takes bytes from the wire; false when they break the format.</summary>
    /// <param name="bytes">From the wire.</param>
    /// <param name="payload">How many of them are body.</param>
    /// <param name="check">Gets the body, if any.</param>
    public bool Feed(ReadOnlySpan<byte> bytes, out long payload, BodyCheck? check)
    {
        payload = 0;
        while (!bytes.IsEmpty)
        {
            if (_at == At.Data)
            {
                ReadOnlySpan<byte> data = bytes[..(int)Math.Min(bytes.Length, _left)];
                check?.Append(data);
                payload += data.Length;
                bytes = bytes[data.Length..];
                if ((_left -= data.Length) == 0)
                {
                    _at = At.DataEnd;
                }

                continue;
            }

            if (!Line(bytes[0]))
            {
                return false;
            }

            bytes = bytes[1..];
        }

        return true;
    }

    private bool Line(byte value)
    {
        if (value == (byte)'\r')
        {
            return _at != At.Done;
        }

        switch (_at)
        {
            case At.Size when value == (byte)'\n':
                _at = _lineLength == 0 ? At.Done : _left == 0 ? At.Trailer : At.Data;
                bool hadSize = _lineLength > 0;
                (_lineLength, _inExtension) = (0, false);
                return hadSize;
            case At.Size:
                _inExtension |= value == (byte)';';
                if (_inExtension)
                {
                    return true;
                }

                _lineLength++;
                _left = (_left * 16) + (char.IsAsciiHexDigit((char)value) ? Convert.ToInt32(((char)value).ToString(), 16) : 0);
                return char.IsAsciiHexDigit((char)value) && _lineLength <= 15;
            case At.DataEnd:
                _at = At.Size;
                return value == (byte)'\n';
            case At.Trailer when value == (byte)'\n':
                _at = _lineLength == 0 ? At.Done : At.Trailer;
                _lineLength = 0;
                return true;
            case At.Trailer:
                _lineLength++;
                return true;
            default:
                return false;
        }
    }
}
