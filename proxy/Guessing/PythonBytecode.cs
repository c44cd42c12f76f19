using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Breakwater.Proxy.Guessing;

/// <summary>
/// Reads what the module-level code of a compiled Python file imports. Of a Python whose instructions are not known it reads all names
/// that this code uses: few others than its imports are names of modules. The content is untrusted: what is malformed, or nested too deep,
/// has no names.
/// </summary>
/// <remarks>
/// Source: CPython's <c>Python/marshal.c</c> and <c>Include/opcode_ids.h</c>; Python 3.8 and newer.
/// </remarks>
internal ref struct PythonBytecode
{
    private const int HeaderBytes = 16;
    private const int FirstMagic = 3400, FirstMagicWithFiveNumbers = 3450, LastMagic = 3999; // of 3.8, 3.11, and of what may come
    private const int FirstMagicOf313 = 3550, FirstMagicOf314 = 3600;
    private const int MaxNames = 1 << 16;
    private const int MaxDepth = 64;
    private const int MaxReferences = 100_000;
    private const int MaxNameBytes = 200;
    private const byte IsReferred = 0x80;

    private static readonly SearchValues<byte> s_ofNames =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_."u8);

    private readonly ReadOnlySpan<byte> _content;
    private readonly int _numbers; // at the beginning of a code object
    private readonly (byte ImportName, byte ImportFrom, byte Extended)? _instructions;
    private readonly List<(int At, int Length)> _referred = [];  // text that may be referred to; of what is no text the length is 0
    private int _at = HeaderBytes;

    private PythonBytecode(ReadOnlySpan<byte> content, int magic)
    {
        _content = content;
        _numbers = magic < FirstMagicWithFiveNumbers ? 6 : 5;
        _instructions = magic < FirstMagicOf313 ? (108, 109, 144) : magic < FirstMagicOf314 ? (75, 74, 71) : null;
    }

    /// <summary>Names as paths: <c>xml/dom</c>; none: it is no such file.</summary>
    /// <param name="content">The file.</param>
    public static List<string> Names(ReadOnlySpan<byte> content)
    {
        List<string> names = [];
        if (content.Length > HeaderBytes && BinaryPrimitives.ReadUInt16LittleEndian(content) is var magic and >= FirstMagic and <= LastMagic
            && content[2..4].SequenceEqual("\r\n"u8))
        {
            new PythonBytecode(content, magic).ReadModule(names);
        }

        return names;
    }

    private void ReadModule(List<string> names)
    {
        if (!TryTakeType(out byte type, out _) || type != 'c' || !TrySkip(_numbers * 4) || !TryReadText(out (int At, int Length) code)
            || !TryPass(0) || !TryTakeType(out type, out _) || type is not ((byte)')' or (byte)'(')
            || !TryTakeCount(type == ')', out int count))
        {
            return;
        }

        List<(int At, int Length)> table = [];
        while (table.Count < Math.Min(count, MaxNames) && TryReadText(out (int At, int Length) name))
        {
            table.Add(name);
        }

        HashSet<(int, int)> seen = [];
        if (_instructions is null)
        {
            for (int number = 0; number < table.Count; number++)
            {
                Add(names, seen, -1, number, table);
            }
        }
        else
        {
            ReadImports(_content.Slice(code.At, code.Length), table, seen, names);
        }
    }

    /// <summary>Instructions are of two bytes: what to do, and with which name of the table.</summary>
    private readonly void ReadImports(
        ReadOnlySpan<byte> code, List<(int At, int Length)> table, HashSet<(int, int)> seen, List<string> names)
    {
        (byte importName, byte importFrom, byte extended) = _instructions!.Value;
        int high = 0;
        int module = -1;
        for (int at = 0; at + 1 < code.Length && names.Count < ModuleNeeds.MaxNames; at += 2)
        {
            int number = (high << 8) | code[at + 1];
            high = code[at] == extended ? number & 0xffff : 0;
            if (number >= table.Count)
            {
                continue;
            }

            if (code[at] == importName)
            {
                module = number;
                Add(names, seen, -1, number, table);
            }
            else if (code[at] == importFrom)
            {
                Add(names, seen, module, number, table); // a module of the package, or what is in the module
            }
        }
    }

    /// <summary>Adds a name, below the package that it is imported from: of <c>from . import</c> that has no name.</summary>
    private readonly void Add(
        List<string> names, HashSet<(int, int)> seen, int package, int number, List<(int At, int Length)> table)
    {
        if (names.Count >= ModuleNeeds.MaxNames || seen.Count >= MaxNames || !seen.Add((package, number)))
        {
            return;
        }

        string? above = package < 0 || table[package].Length == 0 ? "" : NameOf(table[package]) is { } name ? $"{name}/" : null;
        if (above is not null && NameOf(table[number]) is { } own && !names.Contains(above + own))
        {
            names.Add(above + own);
        }
    }

    /// <summary>A name as a path; null: it is none.</summary>
    private readonly string? NameOf((int At, int Length) place)
    {
        ReadOnlySpan<byte> text = _content.Slice(place.At, place.Length);
        return text.Length is 0 or > MaxNameBytes || text.ContainsAnyExcept(s_ofNames) || text.StartsWith("__"u8) || text.StartsWith("."u8)
            ? null
            : Encoding.ASCII.GetString(text).Replace('.', '/');
    }

    /// <summary>A text, or a reference to one that was before.</summary>
    private bool TryReadText(out (int At, int Length) place)
    {
        place = default;
        return _at < _content.Length && (_content[_at] & ~IsReferred) == 'r'
            ? TrySkip(1) && TryTakeNumber(out int reference) && reference >= 0 && reference < _referred.Count
                && (place = _referred[reference]).At > 0
            : TryTakeType(out byte type, out int number) && TryPassText(type, number, out place);
    }

    /// <summary>Passes over one object with all that is in it.</summary>
    private bool TryPass(int depth)
    {
        if (depth > MaxDepth || !TryTakeType(out byte type, out int number))
        {
            return false;
        }

        switch ((char)type)
        {
            case '0' or 'N' or 'F' or 'T' or 'S' or '.':
                return true;
            case 'i' or 'r':
                return TrySkip(4);
            case 'g' or 'I':
                return TrySkip(8);
            case 'y':
                return TrySkip(16);
            case 'l':
                return TryTakeNumber(out int digits) && digits > int.MinValue && TrySkip(Math.Abs((long)digits) * 2);
            case ')' or '(' or '[' or '<' or '>':
                return TryTakeCount(type == ')', out int count) && TryPassAll(count, depth + 1);
            case ':':
                return TryPassAll(3, depth + 1);
            case 'c':
                return TrySkip(_numbers * 4) && TryPassAll(8, depth + 1) && TrySkip(4)
                    && TryPassAll(_numbers == 5 ? 2 : 1, depth + 1);
            default:
                return TryPassText(type, number, out _);
        }
    }

    private bool TryPassAll(int count, int depth)
    {
        while (count > 0 && TryPass(depth))
        {
            count--;
        }

        return count == 0;
    }

    private bool TryPassText(byte type, int number, out (int At, int Length) place)
    {
        place = default;
        if ((char)type is not ('s' or 't' or 'u' or 'a' or 'A' or 'z' or 'Z')
            || !TryTakeCount((char)type is 'z' or 'Z', out int bytes))
        {
            return false;
        }

        place = (_at, bytes);
        if (number >= 0)
        {
            _referred[number] = place;
        }

        return TrySkip(bytes);
    }

    /// <summary>Takes the type of the next object, and gives it a number where others may refer to it.</summary>
    /// <param name="type">The type.</param>
    /// <param name="number">Its number; -1: nobody refers to it.</param>
    private bool TryTakeType(out byte type, out int number)
    {
        (type, number) = (0, -1);
        if (_at >= _content.Length || _referred.Count >= MaxReferences)
        {
            return false;
        }

        type = _content[_at++];
        if ((type & IsReferred) != 0)
        {
            type &= unchecked((byte)~IsReferred);
            number = _referred.Count;
            _referred.Add(default);
        }

        return true;
    }

    /// <summary>A length in bytes or objects, which is at most what is left.</summary>
    private bool TryTakeCount(bool isShort, out int count)
    {
        if (!isShort)
        {
            return TryTakeNumber(out count) && count >= 0 && count <= _content.Length - _at;
        }

        count = _at < _content.Length ? _content[_at] : 0;
        return TrySkip(1) && count <= _content.Length - _at;
    }

    private bool TryTakeNumber(out int number)
    {
        number = _content.Length - _at >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(_content[_at..]) : 0;
        return TrySkip(4);
    }

    private bool TrySkip(long bytes)
    {
        if (bytes > _content.Length - _at)
        {
            return false;
        }

        _at += (int)bytes;
        return true;
    }
}
