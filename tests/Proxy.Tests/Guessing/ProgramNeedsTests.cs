using System.Runtime.InteropServices;
using Breakwater.Proxy.Guessing;
using CsCheck;

namespace Breakwater.Proxy.Tests.Guessing;

public sealed class ProgramNeedsTests
{
    [Fact]
    public void Read_ARealProgram_NamesItsLoaderAndLibraries()
    {
        ProgramNeeds needs = ProgramNeeds.Read(File.ReadAllBytes(Environment.ProcessPath!))!;

        Assert.StartsWith("/lib", Assert.Single(needs.Paths), StringComparison.Ordinal);
        Assert.Contains("libc.so.6", needs.Libraries);
        bool isArm = RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64;
        Assert.Equal(isArm ? "aarch64-linux-gnu" : "x86_64-linux-gnu", needs.Triplet);
    }

    [Theory]
    [InlineData("#!/bin/sh\n", "/bin/sh", null)]
    [InlineData("#! /bin/sh -e\nexit", "/bin/sh", null)]
    [InlineData("#!/usr/bin/env python3\r\nimport os", "/usr/bin/env", "python3")]
    [InlineData("#!/usr/bin/env -S PATH=/x perl -w\n", "/usr/bin/env", "perl")]
    [InlineData("#!/usr/bin/env /opt/x\n", "/usr/bin/env", null)]
    public void Read_AScript_NamesItsInterpreter(string content, string path, string? command)
    {
        ProgramNeeds needs = ProgramNeeds.Read(System.Text.Encoding.UTF8.GetBytes(content))!;

        Assert.Equal([path], needs.Paths);
        Assert.Equal(command is null ? [] : [command], needs.Commands);
    }

    [Theory]
    [InlineData("")]
    [InlineData("#!")]
    [InlineData("#!\n")]
    [InlineData("#!bin/sh\n")]
    [InlineData("#!/bin/sh")]
    [InlineData("a text")]
    [InlineData("\u007fELF")]
    public void Read_NoProgram_NeedsNothing(string content) => Assert.Null(ProgramNeeds.Read(System.Text.Encoding.UTF8.GetBytes(content)));

    /// <summary>The content is the publisher's: whatever it is, it is read in bounds and gives a bounded number of names.</summary>
    [Fact]
    public void Read_AnyDamage_IsReadInBounds()
    {
        byte[] program = File.ReadAllBytes(Environment.ProcessPath!);
        Gen.Select(Gen.Int[0, 1 << 12].Array[0, 40], Gen.Byte.Array[40], Gen.Int[0, program.Length]).Sample(
            (places, values, length) =>
            {
                byte[] damaged = program[..Math.Max(length, 64)];
                for (int i = 0; i < places.Length; i++)
                {
                    damaged[places[i] % damaged.Length] = values[i];
                }

                ProgramNeeds? needs = ProgramNeeds.Read(damaged);
                Assert.True(needs is null || (needs.Libraries.Count <= ProgramNeeds.MaxNames && needs.Paths.Count <= 64));
            },
            iter: 3000);
    }
}
