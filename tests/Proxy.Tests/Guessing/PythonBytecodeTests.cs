using System.Buffers.Binary;
using System.Text;
using Breakwater.Proxy.Guessing;
using CsCheck;

namespace Breakwater.Proxy.Tests.Guessing;

/// <summary>Compiled Python files: a real one, written ones of both shapes, and what is none.</summary>
public sealed class PythonBytecodeTests
{
    private const ushort OldestPython = 3400, Python310 = 3439, Python311 = 3495, Python312 = 3549, Python313 = 3571, Newer = 3600;

    /// <summary>
    /// Compiled by Python 3.11.2: <c>import os, xml.dom; from collections import abc as _abc; from . import sibling</c>, a function that
    /// imports <c>never</c>, a class with numbers of all kinds, bytes and a set, and <c>import json as j</c> in a <c>try</c>.
    /// </summary>
    private static readonly byte[] s_compiled = Convert.FromBase64String(
        "pw0NCgEAAAASllv1LmB8LOMAAAAAAAAAAAAAAAAEAAAAAAAAAPN0AAAAlwBkAGQBbABaAGQAZAFsAVoCZABkAmwDbQRaBQEAZANkBGwGbQdaBwEAZAWE"
        + "AFoIAgBHAGQGhABkB6YCAACrAgAAAAAAAAAAWgkJAGQAZAFsCloLZAFTACMAZQwkAHIGAQBkAVoLWQBkAVMAdwB4A1kAdwEpCOkAAAAATikB2gNhYmPp"
        + "AQAAACkB2gdzaWJsaW5nYwAAAAAAAAAAAAAAAAQAAAADAAAA81QAAACXAGQBZABsAH0AdAIAAAAAAAAAAAAAagIAAAAAAAAAAKADAAAAAAAAAAAAAAAA"
        + "AAAAAAAAAABkAnwAagQAAAAAAAAAAKYCAACrAgAAAAAAAAAAUwApA05yAgAAANoBYSkF2gVuZXZlctoCb3PaBHBhdGjaBGpvaW7aAXgpAXIIAAAAcwEA"
        + "AAAg+gRtLnB52gVsYXRlcnIOAAAABQAAAHMjAAAAgADYBBCATIBMgEzdCw2MN488ijyYA5hVnFfRCyXUCyXQBCXzAAAAAGMAAAAAAAAAAAAAAAAEAAAA"
        + "AAAAAPM2AAAAlwBlAFoBZABaAmQBWgNkAloEAgBlBWQDZARoAqYBAACrAQAAAAAAAAAAWgZkBYQAWgdkBlMAKQfaBEtlcHRnAAAAAAAA+D9sBQAAANIK"
        + "PlYzJqVaCgByBwAAANoBYmMBAAAAAAAAAAAAAAACAAAAAwAAAPMUAAAAlwBkAXwAXwAAAAAAAAAAAGQAUwApAk4pBXMFAAAAYnl0ZXMuTlR5AAAAAAAA"
        + "AAAAAAAAAAAAQCkBcgwAAAApAdoEc2VsZnMBAAAAIHINAAAA2ghfX2luaXRfX3oNS2VwdC5fX2luaXRfXw0AAABzDQAAAIAA2BEuiASMBogGiAZyDwAA"
        + "AE4pCNoIX19uYW1lX1/aCl9fbW9kdWxlX1/aDF9fcXVhbG5hbWVfX9oEc2l6ZdoDYmln2glmcm96ZW5zZXTaBW5hbWVzchUAAACpAHIPAAAAcg0AAABy"
        + "EQAAAHIRAAAACQAAAHNAAAAAgACAAIAAgACAANgLDoBE2AoegEPYDBWISZBzmEOQatEMIdQMIYBF8AIBBS/wAAEFL/AAAQUv8AABBS/wAAEFL3IPAAAA"
        + "chEAAAApDXIJAAAA2gd4bWwuZG9t2gN4bWzaC2NvbGxlY3Rpb25zcgMAAADaBF9hYmPaAHIFAAAAcg4AAAByEQAAANoEanNvbtoBatoLSW1wb3J0RXJy"
        + "b3JyHQAAAHIPAAAAcg0AAAD6CDxtb2R1bGU+ciYAAAABAAAAc7UAAADwAwEBAdgAEtAAEtAAEtAAEtAAEtAAEtAAEtgAI9AAI9AAI9AAI9AAI9AAI9AA"
        + "I9gAFdAAFdAAFdAAFdAAFdAAFfAEAgEm8AACASbwAAIBJvAIBQEv8AAFAS/wAAUBL/AABQEv8AAFAS/xAAUBL/QABQEv8AAFAS/wDgMBDdgEFNAEFNAE"
        + "FNAEFNAEFNAEFPjYBxLwAAEBDfAAAQEN8AABAQ3YCAyAQYBBgEGAQfADAQEN+Pj4cwwAAACmBCwArAc3A7YBNwM=");

    private readonly List<byte> _file = [];

    [Fact]
    public void Names_OfARealFile_AreThoseOfItsModuleAndNotOfItsFunctions() => Assert.Equal(
        ["os", "xml/dom", "collections", "collections/abc", "sibling", "json"],
        PythonBytecode.Names(s_compiled));

    /// <summary>
    /// Code objects begin with six numbers up to Python 3.10, and end with one table less. Of Pythons whose instructions are not known all
    /// names are read.
    /// </summary>
    [Theory]
    [InlineData(OldestPython, 108, 109, "os os/json")]
    [InlineData(Python310, 108, 109, "os os/json")]
    [InlineData(Python311, 108, 109, "os os/json")]
    [InlineData(Python312, 108, 109, "os os/json")]
    [InlineData(Python313, 75, 74, "os os/json")]
    [InlineData(Newer, 1, 1, "os json later")]
    public void Names_OfEachPython_AreFoundBehindAFunction(int magic, byte importName, byte importFrom, string names)
    {
        Begin(magic);
        BeginCode(magic, importName, 0, importFrom, 1, 0, 2, importName, 9, importFrom);
        Tuple(() =>
            {
                BeginCode(magic);
                Tuple(() => Add((byte)'N'));
                Tuple(() => Short('Z', "never"));
                EndCode(magic);
            },
            () => Short('z' | 0x80, "os"));
        Tuple(() => Add((byte)'r', 0, 0, 0, 0), () => Short('Z', "json"), () => Short('Z', "later"));
        EndCode(magic);

        Assert.Equal(names.Split(' '), PythonBytecode.Names(_file.ToArray()));
    }

    /// <summary>The number of a name may need more than a byte; what is put before an instruction is not for the one behind it.</summary>
    [Theory]
    [InlineData(Python311, 108, 144)]
    [InlineData(Python313, 75, 71)]
    public void Names_OfALongTable_AreTheRightOnes(int magic, byte importName, byte extended)
    {
        WriteNames(magic, [.. Enumerable.Range(0, 300).Select(i => $"n{i}")],
            extended, 1, importName, 5, importName, 6, extended, 0, extended, 1, importName, 7, extended, 1, 0, 0, importName, 8);

        Assert.Equal(["n261", "n6", "n263", "n8"], PythonBytecode.Names(_file.ToArray()));
    }

    /// <summary>What is imported from a package may be a module of it; from none, one beside; from one that has no name, none.</summary>
    [Fact]
    public void Names_OfImports_AreBelowThePackageThatTheyAreFrom()
    {
        WriteNames(Python311, ["a.b", "c", "", "__future__", "d", "a.b.c"],
            108, 0, 108, 0, 109, 1, 109, 1, 108, 2, 109, 1, 108, 3, 109, 4, 108, 5);

        Assert.Equal(["a/b", "a/b/c", "c"], PythonBytecode.Names(_file.ToArray()));
    }

    /// <summary>A million instructions that import the same few long names take no longer than a few.</summary>
    [Fact]
    public void Names_OfManyImportsOfTheSame_AreReadOnce()
    {
        string[] names = [.. Enumerable.Range(0, 256).Select(i => new string('n', 190) + i)];
        WriteNames(Python311, names,
            [.. Enumerable.Range(0, 2_000_000).SelectMany(i => new[] { (byte)(i % 2 == 0 ? 108 : 109), (byte)(i / 2 % 256) })]);

        Assert.Equal(ModuleNeeds.MaxNames, PythonBytecode.Names(_file.ToArray()).Count);
    }

    /// <summary>Each kind of object that code may have as a constant is passed over with as many bytes as it has.</summary>
    [Theory]
    [InlineData("N")]
    [InlineData("T")]
    [InlineData("F")]
    [InlineData(".")]
    [InlineData("S")]
    [InlineData("0")]
    [InlineData("i1234")]
    [InlineData("I12345678")]
    [InlineData("g12345678")]
    [InlineData("y1234567812345678")]
    [InlineData("l\u0002\0\0\0abcd")]
    [InlineData("l\ufffe\uffff\uffff\uffffabcd")]
    [InlineData("s\u0003\0\0\0abc")]
    [InlineData("t\u0003\0\0\0abc")]
    [InlineData("u\u0003\0\0\0abc")]
    [InlineData("a\u0003\0\0\0abc")]
    [InlineData("A\u0003\0\0\0abc")]
    [InlineData("z\u0003abc")]
    [InlineData("Z\u0003abc")]
    [InlineData(")\u0002NT")]
    [InlineData("(\u0002\0\0\0NT")]
    [InlineData("[\u0002\0\0\0NT")]
    [InlineData("<\u0002\0\0\0NT")]
    [InlineData(">\u0002\0\0\0NT")]
    [InlineData(":NTF")]
    [InlineData("r\0\0\0\0")]
    [InlineData("?", 0)]
    [InlineData("{NT0", 0)]
    public void Names_BehindAConstant_AreFound(string constant, int names = 1)
    {
        Begin(Newer);
        BeginCode(Newer);
        Tuple(() => Add([.. constant.Select(c => (byte)c)]));
        Tuple(() => Short('Z', "os"));

        Assert.Equal(names, PythonBytecode.Names(_file.ToArray()).Count(name => name == "os"));
    }

    [Theory]
    [InlineData("a_b.C9", "a_b/C9")]
    [InlineData("", null)]
    [InlineData("__name__", null)]
    [InlineData("a/b", null)]
    [InlineData("a b", null)]
    [InlineData("caf\u00e9", null)]
    [InlineData(".a", null)]
    public void Names_ThatAreNoModules_AreLeftOut(string name, string? expected)
    {
        WriteNames(Newer, [name]);

        Assert.Equal(expected is null ? [] : [expected], PythonBytecode.Names(_file.ToArray()));
    }

    [Theory]
    [InlineData(200, 1)]
    [InlineData(201, 0)]
    public void Names_LongestOne_Is200Bytes(int length, int names)
    {
        WriteNames(Newer, [new string('n', length)]);

        Assert.Equal(names, PythonBytecode.Names(_file.ToArray()).Count);
    }

    [Fact]
    public void Names_MoreThanAreRead_AreCutOff()
    {
        WriteNames(Newer, [.. Enumerable.Range(0, 600).Select(i => $"n{i}")]);

        Assert.Equal(Enumerable.Range(0, ModuleNeeds.MaxNames).Select(i => $"n{i}"), PythonBytecode.Names(_file.ToArray()));
    }

    [Theory]
    [InlineData(3399, '\r', 0)]
    [InlineData(Newer, '\r', 1)]
    [InlineData(3999, '\r', 1)]
    [InlineData(4000, '\r', 0)]
    [InlineData(Newer, '\n', 0)]
    public void Names_OfAFileOfAnotherKind_AreNone(int magic, char third, int names)
    {
        WriteNames(magic, ["os"]);
        _file[2] = (byte)third;

        Assert.Equal(names, PythonBytecode.Names(_file.ToArray()).Count);
    }

    /// <summary>A tuple in a tuple in a tuple, as deep as it may be and one deeper: no stack runs out.</summary>
    [Theory]
    [InlineData(63, 1)]
    [InlineData(64, 0)]
    [InlineData(1_000_000, 0)]
    public void Names_BehindWhatIsNestedTooDeep_AreNone(int depth, int names)
    {
        Begin(Newer);
        BeginCode(Newer);
        Tuple(() =>
        {
            for (int i = 0; i < depth; i++)
            {
                Add((byte)')', 1);
            }

            Add((byte)'N');
        });
        Tuple(() => Short('Z', "os"));

        Assert.Equal(names, PythonBytecode.Names(_file.ToArray()).Count);
    }

    /// <summary>References to what is no text, or not there.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(-1, 0)]
    public void Names_ThatRefer_AreReadWhereTextIsReferredTo(int reference, int names)
    {
        Begin(Newer);
        BeginCode(Newer);
        Tuple(() => Short('z' | 0x80, "os"), () => Add('N' | 0x80));
        Tuple(() => Add([(byte)'r', .. BitConverter.GetBytes(reference)]));

        Assert.Equal(names, PythonBytecode.Names(_file.ToArray()).Count);
    }

    [Theory]
    [InlineData(99_999, 1)]
    [InlineData(100_000, 0)]
    public void Names_BehindMoreReferencesThanAreKept_AreNone(int references, int names)
    {
        Begin(Newer);
        BeginCode(Newer);
        Add([(byte)'(', .. BitConverter.GetBytes(references)]);
        for (int i = 0; i < references; i++)
        {
            Add('N' | 0x80);
        }

        Tuple(() => Short('Z', "os"));
        Assert.Equal(names, PythonBytecode.Names(_file.ToArray()).Count);
    }

    /// <summary>The content is the publisher's: cut anywhere and damaged anyhow, it is read in bounds.</summary>
    [Fact]
    public void Names_AnyDamage_IsReadInBounds()
    {
        for (int length = 0; length < s_compiled.Length; length++)
        {
            Assert.InRange(PythonBytecode.Names(s_compiled.AsSpan(0, length)).Count, 0, 6);
        }

        Gen.Select(Gen.Int[4, s_compiled.Length - 1].Array[1, 8], Gen.Byte.Array[8]).Sample((places, values) =>
        {
            byte[] damaged = [.. s_compiled];
            for (int i = 0; i < places.Length; i++)
            {
                damaged[places[i]] = values[i];
            }

            Assert.InRange(PythonBytecode.Names(damaged).Count, 0, ModuleNeeds.MaxNames);
        }, iter: 20_000);
    }

    private void WriteNames(int magic, string[] names, params byte[] code)
    {
        Begin(magic);
        BeginCode(magic, code);
        Tuple();
        Add([(byte)'(', .. BitConverter.GetBytes(names.Length)]);
        Array.ForEach(names, name => Short('Z', name));
    }

    private void Begin(int magic)
    {
        Span<byte> header = stackalloc byte[16];
        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)magic);
        header[2] = (byte)'\r';
        header[3] = (byte)'\n';
        _file.AddRange(header);
    }

    /// <summary>The numbers of a code object and its instructions; its constants and names are to follow.</summary>
    private void BeginCode(int magic, params byte[] code)
    {
        Add((byte)'c');
        _file.AddRange(new byte[magic < 3450 ? 24 : 20]);
        Add([(byte)'s', .. BitConverter.GetBytes(code.Length), .. code]);
    }

    private void EndCode(int magic)
    {
        for (int i = 0; i < 5; i++)
        {
            Add((byte)')', 0);
        }

        _file.AddRange(new byte[4]);
        Short('z', "");
        if (magic >= 3450)
        {
            Short('z', "");
        }
    }

    private void Tuple(params Action[] items)
    {
        Add((byte)')', (byte)items.Length);
        Array.ForEach(items, item => item());
    }

    private void Short(int type, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Add((byte)type, (byte)bytes.Length);
        _file.AddRange(bytes);
    }

    private void Add(params byte[] bytes) => _file.AddRange(bytes);
}
