using System.Text;
using System.Text.Json;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// Reads a settings file with the place of each value. JSON with comments and trailing commas, as .NET's own configuration takes it.
/// </summary>
internal ref struct PlacedJsonReader
{
    private readonly string _file;
    private readonly ReadOnlySpan<byte> _text;
    private readonly PlacedJson _result;
    private Utf8JsonReader _json;

    private PlacedJsonReader(string file, ReadOnlySpan<byte> text, PlacedJson result)
    {
        _file = file;
        _text = text;
        _result = result;
        _json = new Utf8JsonReader(text, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
    }

    /// <summary>Reads all of it; what is wrong stands in <see cref="PlacedJson.Problems"/>.</summary>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="bytes">Its content.</param>
    public static PlacedJson Read(string file, ReadOnlySpan<byte> bytes)
    {
        var result = new PlacedJson();
        ReadOnlySpan<byte> text = bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]))
        {
            Break(result, new SettingsMistake("The file is UTF-16; save it as UTF-8.", new SettingsPlace(file)));
            return result;
        }

        var reader = new PlacedJsonReader(file, text, result);
        try
        {
            reader.ReadAll();
        }
        catch (JsonException e)
        {
            long at = reader.OffsetOf(e.LineNumber ?? 0, e.BytePositionInLine ?? 0);
            Break(result, new SettingsMistake($"This is not JSON: {Sentence(e, text, at)}{reader.Unclosed(at)}", reader.PlaceAt(at)));
            result.BrokenText = Encoding.UTF8.GetString(text);
        }
        catch (InvalidOperationException)
        {
            Break(result,
                new SettingsMistake("These bytes are not UTF-8; save the file as UTF-8.", reader.PlaceAt(reader._json.TokenStartIndex)));
        }

        return result;
    }

    private static void Break(PlacedJson result, SettingsMistake problem)
    {
        result.Problems.Add(problem);
        result.IsBroken = true;
    }

    /// <summary>The library's sentence without its own count of lines, which begins at 0.</summary>
    private static string Sentence(JsonException e, ReadOnlySpan<byte> text, long at)
    {
        if (text.Trim(" \t\r\n"u8).IsEmpty)
        {
            return "the file is empty; { } is a file without settings.";
        }

        int end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        string sentence = end < 0 ? e.Message : e.Message[..end];
        return at >= text.Length ? "the file ends in the middle." : sentence;
    }

    private void ReadAll()
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            Break(_result, new SettingsMistake("Settings are one object: { \"Section\": { … } }.", PlaceAt(_json.TokenStartIndex)));
            return;
        }

        ReadObject("");
        _json.Read(); // what stands behind it is a mistake
    }

    private void ReadObject(string path)
    {
        var names = new Dictionary<string, SettingsPlace>(StringComparer.OrdinalIgnoreCase);
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            string name = _json.GetString()!;
            SettingsPlace place = PlaceAt(_json.TokenStartIndex);
            string key = path.Length == 0 ? name : ConfigurationPath.Combine(path, name);
            if (!names.TryAdd(name, place))
            {
                _result.Problems.Add(new SettingsMistake($"{key}: it is there twice.", names[name], place));
            }

            _result.Places[key] = place;
            _json.Read();
            ReadValue(key);
            if (path.Length == 0)
            {
                _result.WholeSections.Add(name);
            }
        }

        if (names.Count == 0 && path.Length > 0)
        {
            _result.Values[path] = null;
        }
    }

    private void ReadList(string path)
    {
        _result.Lists.Add(path);
        int index = 0;
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            string key = ConfigurationPath.Combine(path, index.ToString(System.Globalization.CultureInfo.InvariantCulture));
            _result.Places[key] = PlaceAt(_json.TokenStartIndex);
            ReadValue(key);
            index++;
        }

        if (index == 0)
        {
            _result.Values[path] = "";
        }
    }

    private void ReadValue(string key)
    {
        switch (_json.TokenType)
        {
            case JsonTokenType.StartObject:
                ReadObject(key);
                break;
            case JsonTokenType.StartArray:
                ReadList(key);
                break;
            default:
                // A name with a colon and a section may mean the same.
                if (!_result.Values.TryAdd(key, ValueOf(ref _json)))
                {
                    _result.Problems.Add(new SettingsMistake($"{key}: it is there twice.", _result.Places[key]));
                }

                break;
        }
    }

    private static string? ValueOf(ref Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.Null => null,
        JsonTokenType.True => bool.TrueString,
        JsonTokenType.False => bool.FalseString,
        JsonTokenType.Number => Encoding.UTF8.GetString(json.ValueSpan),
        _ => json.GetString(),
    };

    private readonly SettingsPlace PlaceAt(long offset)
    {
        ReadOnlySpan<byte> before = _text[..(int)Math.Min(offset, _text.Length)];
        int lineStart = before.LastIndexOf((byte)'\n') + 1;
        return new SettingsPlace(_file, before.Count((byte)'\n') + 1, Encoding.UTF8.GetCharCount(before[lineStart..]) + 1);
    }

    private readonly long OffsetOf(long line, long positionInLine)
    {
        int offset = 0;
        for (; line > 0; line--)
        {
            int end = _text[offset..].IndexOf((byte)'\n');
            if (end < 0)
            {
                break;
            }

            offset += end + 1;
        }

        return Math.Min(offset + positionInLine, _text.Length);
    }

    /// <summary>At the end of the file: what is still open, from the inside.</summary>
    private readonly string Unclosed(long at)
    {
        if (at < _text.Length)
        {
            return "";
        }

        var open = new Stack<long>();
        var json = new Utf8JsonReader(_text,
            new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        try
        {
            while (json.Read())
            {
                if (json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                {
                    open.Push(json.TokenStartIndex);
                }
                else if (json.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
                {
                    open.Pop();
                }
            }
        }
        catch (JsonException)
        {
            // As before.
        }

        if (open.Count == 0)
        {
            return "";
        }

        SettingsPlace place = PlaceAt(open.Peek());
        return FormattableString.Invariant(
            $" The {(char)_text[(int)open.Peek()]} in line {place.Line}, column {place.Column} is not closed.");
    }
}
